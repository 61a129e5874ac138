"""``migrate verify`` as people and scripts call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.core.settings import Env
from govhub.lab import postgres
from govhub.migration.sql.dsn import parse
from migration.verify.conftest import Place


@pytest.fixture
def words(pg: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command on two databases with one table each, equal."""
    for place in pg:
        place.run("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'geheim'), (2, 'b')")
    monkeypatch.setenv(Env.SOURCE_PASSWORD, postgres.PASSWORD)
    monkeypatch.setenv(Env.TARGET_PASSWORD, postgres.PASSWORD)
    return ["migrate", "verify", "--source", str(pg[0].dsn), "--target", str(pg[1].dsn)]


def test_exit_codes_and_both_views(words: list[str], pg: tuple[Place, Place], capsys: Any) -> None:
    assert main(words) == 0
    assert "Verdict: pass" in capsys.readouterr().out
    pg[1].run("UPDATE t SET v = 'anders' WHERE id = 1")
    assert main([*words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "govhub.verification/1"
    assert document["verdict"] == "differs"
    assert main([*words, "--lang", "zh"]) == 1
    text = capsys.readouterr().out
    assert "结论: 不一致" in text
    assert "id = 1" in text
    assert "geheim" not in text
    assert main([*words, "--show-values"]) == 1
    assert main([*words, "--budget", "1", "--table", "nothing"]) == 1
    assert "could not verify" in capsys.readouterr().out


def test_a_password_file_is_read_and_one_for_everybody_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv(Env.SOURCE_PASSWORD)
    file = tmp_path / "password"
    file.write_text(f"{postgres.PASSWORD}\n")
    file.chmod(0o644)
    assert main([*words, "--source-password-file", str(file)]) == 64
    assert "VER003" in capsys.readouterr().err
    file.chmod(0o600)
    assert main([*words, "--source-password-file", str(file)]) == 0


def test_a_server_that_does_not_answer_is_no_verdict(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv(Env.SOURCE_PASSWORD, "wrong-password")
    assert main(words) == 7
    found = capsys.readouterr().err
    assert "VER005" in found
    assert "wrong-password" not in found


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:Geheim77@h/d",
        "postgresql://me:@h/d",
        "mariadb://me@h/d?password=Geheim77",
        "postgres://me@h/d?sslpassword=Geheim77",
        "postgres://me@h/d?passfile=Geheim77",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address: str, capsys: Any) -> None:
    assert main(["migrate", "verify", "--source", address, "--target", "postgres://h/d"]) == 64
    text = capsys.readouterr().err
    assert "VER001" in text
    assert "GOVHUB_SOURCE_PASSWORD" in text
    assert "Geheim77" not in text


@pytest.mark.parametrize(
    "address", ["oracle://h/d", "postgresql://h", "mariadb://h:x/d", "postgresql://h/d?service=x", ""]
)
def test_an_address_that_makes_no_sense_is_told(address: str, capsys: Any) -> None:
    assert main(["migrate", "verify", "--source", address, "--target", "postgres://h/d"]) == 64
    assert "VER002" in capsys.readouterr().err


def test_a_tree_and_a_database_cannot_be_compared(tmp_path: Path, capsys: Any) -> None:
    assert main(["migrate", "verify", "--source", "listing:x", "--target", "postgres://h/d"]) == 64
    assert "VER004" in capsys.readouterr().err
    bad = tmp_path / "bad"
    bad.write_bytes(b"no listing\0")
    assert main(["migrate", "verify", "--source", f"listing:{bad}", "--target", f"listing:{bad}"]) == 3
    assert "VER006" in capsys.readouterr().err


def test_no_password_is_in_any_text_of_an_address() -> None:
    dsn = parse("mariadb://me@h/d?socket=/run/x.sock", "Geheim77")
    assert "Geheim77" not in f"{dsn} {dsn!r} {vars(dsn)}"
    assert str(dsn) == "mariadb://me@/run/x.sock/d"
