"""Who is run again: Ansible leaves all hosts half-way when all hosts of one play have failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.hosts.runner import Play, PlayRequest
from govhub.hosts.variables import Declared


def left(tmp_path: Path, statuses: dict[str, str], max_fail: int = 100) -> list[str]:
    hosts = tuple(Declared(name, (), {}, {}) for name in statuses)
    play = Play(PlayRequest(hosts=hosts, folder=tmp_path, max_fail=max_fail))
    for name, status in statuses.items():
        play.outcomes[name].status = status
    return [host.name for host in play._left_alone(hosts)]


@pytest.mark.parametrize(
    ("statuses", "max_fail", "again"),
    [
        ({"a": "done", "b": "done"}, 100, []),
        ({"a": "failed", "b": "not reached", "c": "not reached"}, 100, ["b", "c"]),
        ({"a": "unreachable", "b": "not reached", "c": "done"}, 100, ["b"]),
        # Nobody came anywhere: once more would be the same.
        ({"a": "not reached", "b": "not reached"}, 100, []),
        # More have failed than were allowed to: the operator wanted an end.
        ({"a": "failed", "b": "not reached", "c": "not reached"}, 20, []),
        ({"a": "failed", "b": "not reached", "c": "not reached"}, 50, ["b", "c"]),
    ],
)
def test_hosts_that_another_plays_failure_left_half_way_are_run_again(
    tmp_path: Path, statuses: dict[str, str], max_fail: int, again: list[str]
) -> None:
    assert left(tmp_path, statuses, max_fail) == again


def test_a_play_that_came_nowhere_says_why(tmp_path: Path) -> None:
    play = Play(PlayRequest(hosts=(Declared("a", (), {}, {}),), folder=tmp_path, play="none.yml"))
    outcome = play.run()["a"]
    assert outcome.status == "not reached"
    assert "none.yml could not be found" in outcome.why
