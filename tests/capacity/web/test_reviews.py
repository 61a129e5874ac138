"""Reviews that are saved, compared and taken along."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from govhub.core.errors import InvalidInput
from govhub.monitoring.web.app import application
from govhub.monitoring.web.documents.comparison import comparison
from govhub.ops.capacity.serving import HubSource

Reach = Callable[[Starlette], httpx.Client]
HALL = "jz-a/h1"


def changed(source: HubSource, change: Callable[[Any], None]) -> Any:
    document = deepcopy(source.overview())
    change(document)
    return document


def hall(document: Any) -> Any:
    return next(item for item in document["halls"] if item["hall"] == HALL)


def test_nothing_differs_from_itself(source: HubSource) -> None:
    assert source.compare(json.loads(json.dumps(source.overview())))["changes"] == []


def test_each_difference_is_told_with_its_place_and_by_how_much(source: HubSource) -> None:
    before = changed(source, lambda it: hall(it)["figures"]["space"].update(numerator=1.0))
    before["departments"][0]["quota_cores"] -= 8
    hall(before)["binding"].update(resource="weight", servers=3)
    found = {(item["place"], item["figure"]): item for item in source.compare(before)["changes"]}
    now = source.overview()

    assert set(found) == {
        (HALL, "space|used"),
        (HALL, "binding"),
        (HALL, "servers"),
        (now["departments"][0]["tenant"], "quota"),
    }
    assert found[HALL, "space|used"]["delta"] == hall(now)["figures"]["space"]["numerator"] - 1
    assert found[now["departments"][0]["tenant"], "quota"]["delta"] == 8
    assert (found[HALL, "binding"]["before"], found[HALL, "binding"]["delta"]) == ("weight", None)


def test_unknown_is_a_value_and_has_no_difference(source: HubSource) -> None:
    before = changed(source, lambda it: hall(it)["figures"]["space"].update(numerator=None))
    (item,) = source.compare(before)["changes"]

    assert (item["before"], item["delta"], item["missing"]) == (None, None, [])


def test_a_hall_that_is_new_or_gone_is_told(source: HubSource) -> None:
    before = changed(source, lambda it: it["halls"].remove(hall(it)))
    found = source.compare(before)["changes"]

    assert {item["place"] for item in found} == {HALL}
    assert all(item["missing"] == ["before"] for item in found)
    assert all(item["missing"] == ["after"] for item in comparison(source.overview(), before)["changes"])


NO_REVIEWS: list[Any] = [
    None,
    [],
    {},
    {"schema": "govhub.capacity/1"},
    {"schema": "govhub.capacity/9", "hub": "jinzhou", "halls": [], "figures": {}},
    {"schema": "govhub.capacity/1", "hub": "jinzhou", "halls": [{"hall": 1}], "figures": {}},
    {"schema": "govhub.capacity/1", "hub": "jinzhou", "halls": [], "figures": {"space": {"numerator": "1"}}},
    {"schema": "govhub.capacity/1", "hub": "x" * 500, "halls": [], "figures": {}},
]


@pytest.mark.parametrize("document", NO_REVIEWS, ids=range(len(NO_REVIEWS)))
def test_what_is_no_review_is_told(source: HubSource, document: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        source.compare(document)
    assert error.value.diagnostics[0].code == "WEB020"


def test_reviews_of_two_hubs_are_not_compared(source: HubSource) -> None:
    with pytest.raises(InvalidInput) as error:
        source.compare(changed(source, lambda it: it.update(hub="yichang")))
    assert error.value.diagnostics[0].code == "WEB021"


def test_a_saved_review_goes_there_and_back_over_http(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    saved = client.get("/api/v1/review")
    assert 'filename="jinzhou-review.json"' in saved.headers["content-disposition"]
    document = saved.json()
    hall(document)["figures"]["weight"]["numerator"] += 1000
    page = client.get("/diff").text
    word = {"X-CSRF-Token": str(re.search(r'data-csrf="([^"]+)"', page)[1])}  # type: ignore[index]
    body = json.dumps({"before": document, "after": None})

    assert client.post("/api/v1/diff", content=body).status_code == 403
    told = client.post("/api/v1/diff", content=body, headers=word).json()
    assert [item["figure"] for item in told["changes"]] == ["weight|used"]
    table = client.post("/diff", content=body, headers=word).text
    assert "-1,000 kg" in table
    assert "WEB020" in client.post("/diff", content=b"{}", headers=word).text


def test_names_from_a_review_are_text_and_nothing_else(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    nasty = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    before = changed(source, lambda it: hall(it).update(hall=nasty))
    page = client.get("/diff").text
    word = {"X-CSRF-Token": str(re.search(r'data-csrf="([^"]+)"', page)[1])}  # type: ignore[index]
    table = client.post("/diff", content=json.dumps({"before": before, "after": None}), headers=word).text

    assert "&lt;img src=x" in table
    assert "<img" not in table
    assert "{{7*7}}" in table
    for path in (
        "/diff?against=%3Cscript%3Ealert(1)%3C/script%3E",
        "/map?hall=%22%3E%3Cscript%3E",
        "/?lang=%3Cx%3E&x=%3Cy%3E",
    ):
        answer = client.get(path, headers={"Accept": "text/html"}).text
        assert "<script>alert" not in answer
        assert "<y>" not in answer


def test_a_revision_of_the_files_is_compared_with_now(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    told = client.get("/api/v1/diff", params={"against": "HEAD"}).json()

    assert told["before"] == "HEAD"
    assert told["count"] == len(told["changes"])
    # A folder of this machine is no revision: what `plan --against` takes is not for visitors.
    for path in ("..", "/etc", "inventories", "-x", "HEAD:inventories", "$(id)"):
        answer = client.get("/api/v1/diff", params={"against": path})
        assert (answer.status_code, answer.json()["diagnostics"][0]["code"]) == (400, "REV003"), path


def test_the_offline_file_needs_nothing_else(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    for language, word in (("en", "Halls, the most urgent first"), ("zh", "各机房（最紧迫在前）")):
        text = client.get("/export", params={"lang": language}).text
        assert word in text
        assert not re.search(r"<(script|link|img|iframe|form|a)\b|url\(|@import", text)
        assert re.findall(r"\b(?:src|href|action)=", text) == []
        assert text.count('class="cell-') >= 4
        assert "hx-get" not in text
        assert all(name in text for name in ("jz-grid-a", HALL, "general-office"))
