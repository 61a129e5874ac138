"""The chain of events cannot be changed unnoticed, and no registered secret gets through the redactor."""

from __future__ import annotations

import base64
import json
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.core.events import GENESIS, Event, EventLog, first_broken_link, read_events
from govhub.core.secrets import MASK, Redactor, Secret, scrub

CANARY = "cAn4ry <&> \"quoted\" 'pässwörd' \\ 密码"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    events = EventLog(path)
    for number in range(5):
        events.emit("step", number=number, name=f"对象-{number}")
    events.close()
    return path


def test_events_are_numbered_linked_and_private(log: Path) -> None:
    found = list(read_events(log))
    assert [item["seq"] for item in found] == [0, 1, 2, 3, 4]
    assert found[0]["previous"] == GENESIS
    assert [item["previous"] for item in found[1:]] == [item["hash"] for item in found[:-1]]
    assert first_broken_link(log) is None
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_every_changed_byte_breaks_the_chain_at_its_line(log: Path) -> None:
    raw = log.read_bytes()
    line = 0
    for position, byte in enumerate(raw):
        for flip in (1, 4):
            changed = bytearray(raw)
            changed[position] ^= flip
            log.write_bytes(changed)
            broken = first_broken_link(log)
            if position == len(raw) - 1:
                assert broken in (None, 4), "the last line may be torn, as after a kill"
            else:
                assert broken is not None, f"byte {position} ({bytes([byte])!r})"
                assert broken <= line, f"byte {position}"
        line += byte == ord("\n")


def test_a_removed_swapped_or_repeated_line_breaks_the_chain(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for changed, at in (
        ([*lines[:2], *lines[3:]], 2),
        ([*lines[:1], lines[2], lines[1], *lines[3:]], 1),
        ([*lines[:3], lines[2], *lines[3:]], 3),
        (lines[1:], 0),
        ([*lines[:3], b"\n", *lines[3:]], 3),
        ([*lines[:3], b"[]\n", *lines[3:]], 3),
        ([*lines[:3], b"7\n"], 3),
    ):
        log.write_bytes(b"".join(changed))
        assert first_broken_link(log) == at


def test_a_torn_last_line_is_left_out_and_the_rest_still_holds(log: Path) -> None:
    raw = log.read_bytes()
    for cut in (1, 5, 40):
        log.write_bytes(raw[:-cut])
        assert len(list(read_events(log))) == 4
        assert first_broken_link(log) is None


def test_events_of_many_threads_make_one_chain(tmp_path: Path) -> None:
    path, seen = tmp_path / "events.ndjson", list[Event]()
    events = EventLog(path)
    events.listen(seen.append)
    threads = [threading.Thread(target=lambda: [events.emit("step") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events.close()
    assert first_broken_link(path) is None
    assert len(list(read_events(path))) == len(seen) == 200


def test_the_hash_is_taken_after_redaction(tmp_path: Path) -> None:
    path, redactor = tmp_path / "events.ndjson", Redactor()
    redactor.add(Secret(CANARY))
    events = EventLog(path, redact=redactor)
    event = events.emit("step", failures={"x": f"refused: {CANARY}!"}, items=[CANARY])
    events.close()
    assert event.data == {"failures": {"x": f"refused: {MASK}!"}, "items": [MASK]}
    assert first_broken_link(path) is None
    assert "cAn4ry" not in path.read_text(encoding="utf-8")


def test_a_secret_of_digits_tears_no_number_apart(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add(Secret("000000"))
    event = EventLog(redact=redactor).emit("step", seconds=1000000, pin="is 000000")
    assert event.data == {"seconds": 1000000, "pin": f"is {MASK}"}


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        json.dumps(CANARY),
        json.dumps({"error": f"got {CANARY}"}, ensure_ascii=False),
        json.dumps(CANARY, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        base64.b64encode(CANARY.encode()).decode(),
        f'"value":"{base64.b64encode(CANARY.encode()).decode()}"',
    ],
    ids=["plain", "json", "json utf-8", "json of go", "base64", "base64 in json"],
)
def test_every_spelling_of_a_secret_is_scrubbed(text: str) -> None:
    redactor = Redactor()
    redactor.add(Secret(CANARY))
    clean = redactor(f"before {text} after")
    assert "cAn4ry" not in clean
    assert base64.b64encode(CANARY.encode()).decode()[:12] not in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert MASK in clean


def test_the_lines_of_a_key_file_are_scrubbed_one_by_one() -> None:
    redactor = Redactor()
    lines = ["-----BEGIN KEY-----", "QWxhZGRpbjpvcGVuIHNlc2FtZQ", "c2Vjb25kIGxpbmUgb2Yga2V5", "-----END KEY-----"]
    redactor.add(Secret("\n".join(lines)))
    for line in lines[1:3]:
        assert redactor(f"error: {line}") == f"error: {MASK}"


def test_a_secret_prints_as_a_mask_whatever_is_done_with_it() -> None:
    secret = Secret(CANARY)
    assert {str(secret), repr(secret), f"{secret}", f"{[secret]}"[1:-1]} == {MASK}
    assert not hasattr(secret, "__dict__")


@given(st.text(min_size=6).filter(lambda text: text.strip("[secrt] ") == text), st.text(), st.text())
@settings(max_examples=200, deadline=None)
def test_no_text_comes_through_with_the_secret_in_it(value: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add(Secret(value))
    assert value not in redactor(before + value + after) or value in before + MASK + after
    tree = {"a": [value, {"b": before + value}], "n": 123456}
    clean = scrub(tree, redactor)
    assert clean["a"][0] == MASK
    assert clean["n"] == 123456
