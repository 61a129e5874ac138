"""The ledger of intents: what was begun and not finished is known after a kill."""

from __future__ import annotations

import pytest

from govhub.core.errors import GovhubError
from govhub.engine.bucket import Bucket
from govhub.engine.ledger import Ledger
from govhub.engine.state import State
from govhub.stacks.graph import Identity, Shard

SHARD, OTHER = Shard("main", "systems", 1), Shard("main", "systems", 0)
WEB = Identity("apps", "Deployment", "education-prod", "web")
DB = Identity("apps", "StatefulSet", "education-prod", "db")
SPACE = Identity("", "Namespace", "", "education-prod")


def test_what_was_begun_is_unfinished_until_it_is_finished(bucket: Bucket) -> None:
    ledger = Ledger(State("mini", bucket))
    assert ledger.unfinished() == []
    ledger.begin(SHARD, "run-1", [WEB, SPACE])
    found = Ledger(State("mini", bucket)).unfinished()
    assert [(item.shard, item.run, item.identities) for item in found] == [(SHARD, "run-1", frozenset({WEB, SPACE}))]
    ledger.finish(SHARD)
    assert ledger.unfinished() == []


def test_a_second_run_keeps_what_the_killed_one_had_in_mind(bucket: Bucket) -> None:
    ledger = Ledger(State("mini", bucket))
    ledger.begin(SHARD, "run-1", [WEB])
    ledger.begin(SHARD, "run-2", [DB])
    (found,) = ledger.unfinished()
    assert found.run == "run-2"
    assert found.identities == {WEB, DB}


def test_shards_and_hubs_have_intents_of_their_own(bucket: Bucket) -> None:
    ledger, foreign = Ledger(State("mini", bucket)), Ledger(State("mini2", bucket))
    ledger.begin(SHARD, "run-1", [WEB])
    ledger.begin(OTHER, "run-1", [DB])
    foreign.begin(SHARD, "run-9", [SPACE])
    ledger.finish(SHARD)
    assert [item.shard for item in ledger.unfinished()] == [OTHER]
    assert [item.run for item in foreign.unfinished()] == ["run-9"]


def test_finishing_what_was_never_begun_changes_nothing(bucket: Bucket) -> None:
    ledger = Ledger(State("mini", bucket))
    ledger.begin(OTHER, "run-1", [DB])
    ledger.finish(SHARD)
    assert len(ledger.unfinished()) == 1


@pytest.mark.parametrize("document", [b"{}", b"[]", b'{"shard": ["main"]}', b'{"run": "x", "shard": 7}'])
def test_a_damaged_intent_still_says_which_shard_was_interrupted(bucket: Bucket, document: bytes) -> None:
    bucket.put(".govhub/mini/intents/main.systems.1.json", document)
    (found,) = Ledger(State("mini", bucket)).unfinished()
    assert found.shard == SHARD
    assert found.identities == frozenset()


def test_a_checkpoint_that_cannot_be_read_is_an_error_with_its_place(state: State) -> None:
    key = ".pulumi/stacks/govhub-systems/mini.main.1.json"
    state.bucket.put(key, b'{"checkpoint": {"latest": {"resources": [7]}}}')
    assert state.shards() == [SHARD]
    with pytest.raises(GovhubError) as caught:
        state.checkpoint(SHARD)
    assert caught.value.diagnostics[0].code == "STA005"
    assert key in caught.value.diagnostics[0].detail
