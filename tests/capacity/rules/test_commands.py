"""``capacity rules|alerts|dashboards``: files that are whole, stay as they are, and spare those of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capacity.rules.tools import INVENTORIES, run
from govhub.cli import i18n
from govhub.cli.main import main

COMMANDS = ("rules", "alerts", "dashboards")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(INVENTORIES))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")
    i18n.use("en")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def everything(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Content, inode and time of each file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_one_folder_holds_all_and_a_second_run_changes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "monitoring"
    own = out / "rules" / "ours.yml"
    own.parent.mkdir(parents=True)
    own.write_text("groups: []\n", encoding="utf-8")
    for command in COMMANDS:
        code, text, err = said(capsys, "capacity", command, "huating", "--out", str(out))
        assert (code, err) == (0, ""), command
        assert "written" in text
    before = everything(out)

    for command in COMMANDS:
        code, text, _ = said(capsys, "capacity", command, "huating", "--out", str(out))
        assert code == 0
        assert "as they should be" in text
        assert "written" not in text
    assert everything(out) == before
    assert own.read_text(encoding="utf-8") == "groups: []\n"
    assert not [name for name in before if "/." in name or name.startswith(".")], "no scratch file is left"
    assert len(before) == 1 + 10 + 2 + 20 + 1 + 5 + 1


def test_the_examples_are_taken_by_prometheus(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("--serve", "https://hub.example:8443", "--alertmanager", "alert.example:9093")
    assert said(capsys, "capacity", "rules", "huating", "--out", str(tmp_path / "out"), *words)[0] == 0

    for name in ("prometheus", "federation"):
        code, out = run("promtool", "check", "config", tmp_path / "out" / f"{name}.example.yml")
        assert code == 0, out
    text = (tmp_path / "out" / "prometheus.example.yml").read_text(encoding="utf-8")
    assert "https://hub.example:8443/sd" in text
    assert "alert.example:9093" in text


def test_the_document_lists_each_file_and_what_was_done(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("capacity", "alerts", "huating", "--out", str(tmp_path / "out"), "--json")
    document = json.loads(said(capsys, *words)[1])

    assert (document["schema"], document["hub"]) == ("govhub.capacity/1", "huating")
    assert {item["state"] for item in document["files"]} == {"new"}
    changed = json.loads(said(capsys, *words, "--room", "50")[1])["files"]
    assert {item["path"] for item in changed if item["state"] == "changed"} == {
        "rules/govhub-huating-alerts-room.yml",
        "tests/govhub-huating-alerts-room.yml",
    }
    code, out = run("promtool", "test", "rules", tmp_path / "out" / "tests" / "govhub-huating-alerts-room.yml")
    assert code == 0, out


def test_a_file_of_somebody_else_is_not_replaced_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    foreign = tmp_path / "alertmanager.yml"
    foreign.write_text("route: {receiver: mine}\n", encoding="utf-8")

    code, _, err = said(capsys, "capacity", "alerts", "huating", "--out", str(tmp_path))

    assert code == 3
    assert "RUL001" in err
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["alertmanager.yml"]
    assert foreign.read_text(encoding="utf-8") == "route: {receiver: mine}\n"


def test_a_folder_that_is_a_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")

    code, _, err = said(capsys, "capacity", "rules", "huating", "--out", str(tmp_path / "out"))

    assert code != 0
    assert "error[" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("address", ["ftp://x", "hook", "http://", "http://a b", "http://h:99999/x", "http://h\n"])
def test_an_address_that_is_none_is_refused_without_being_repeated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, address: str
) -> None:
    words = ("--out", str(tmp_path / "out"), "--webhook", f"{address}?token=s3cret")

    code, out, err = said(capsys, "capacity", "alerts", "huating", *words)

    assert code == 64
    assert "RUL002" in err
    assert "s3cret" not in out + err
    assert not (tmp_path / "out").exists()


def test_receivers_with_an_address_are_kept_from_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("--webhook", "https://chat.example/hook?token=s3cret", "--runbook", "https://wiki.example/runbook")
    _, text, err = said(capsys, "capacity", "alerts", "huating", "--out", str(tmp_path / "out"), *words)

    file = tmp_path / "out" / "alertmanager.yml"
    assert "https://chat.example/hook/ticket-power?token=s3cret" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    rules = tmp_path / "out" / "rules" / "govhub-huating-alerts-power.yml"
    assert rules.stat().st_mode & 0o777 == 0o644
    assert "https://wiki.example/runbook#govhubpowerelementlost" in rules.read_text(encoding="utf-8")
    assert "s3cret" not in text + err


def test_alerts_and_dashboards_speak_chinese(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for command in ("alerts", "dashboards"):
        code, text, _ = said(capsys, "--lang", "zh", "capacity", command, "huating", "--out", str(tmp_path / "out"))
        assert code == 0
        assert "已写入" in text
    rules = (tmp_path / "out" / "rules" / "govhub-huating-alerts-power.yml").read_text(encoding="utf-8")
    assert "失电" in rules
    assert "docs/guide.zh-CN/capacity-runbook.md#" in rules
    board = json.loads((tmp_path / "out" / "dashboards" / "capacity-overview.json").read_text(encoding="utf-8"))
    assert board["title"] == "容量 / 总览"
