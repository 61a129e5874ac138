"""The commands as people and scripts use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from govhub.cli import i18n
from govhub.cli.main import main
from migration.city import SYSTEM, City

Result = tuple[int, str, str]


@pytest.fixture
def govhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LANG", "C.UTF-8")

    def run(*words: object) -> Result:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        finally:
            i18n.use("en")
        return code, *capsys.readouterr()

    return run


def test_the_way_to_the_gate_and_over_it(city: City, govhub: Callable[..., Result], tmp_path: Path) -> None:
    city.write(rules="trial_days: 0")
    code, out, err = govhub("migrate", "run", city.hub, SYSTEM, "--itinerary", "migrate")
    assert code == 0, err
    assert f"{SYSTEM}: waiting WaitForCutoverApproval" in out
    assert "approval of department, authority, provider is missing" in out
    assert "EnsureFileCopy: done" in err

    code, out, _ = govhub("migrate", "status", city.hub, "--json")
    board = json.loads(out)
    assert (code, board["schema"]) == (0, "govhub.migrate-board/1")
    assert {item["stage"]: item["systems"] for item in board["stages"]}["moved"] == [SYSTEM]
    code, out, _ = govhub("migrate", "status", city.hub, "--lang", "zh")
    assert "试运行" in out
    assert SYSTEM in out
    code, out, _ = govhub("migrate", "status", city.hub, SYSTEM)
    assert "Migration" in out
    assert "EnsureSwitched" in out
    code, out, _ = govhub("migrate", "status", city.hub, SYSTEM, "--json")
    assert json.loads(out)["waits_for"] == "approval of department, authority, provider is missing"

    for name, party in (("chen", "department"), ("zhao", "authority"), ("qian", "provider")):
        key = city.keys / name
        code, out, err = govhub("migrate", "approve", city.hub, SYSTEM, "--party", party, "--as", name, "--key", key)
        assert code == 0, err
    assert "All three parties have approved" in out
    assert govhub("migrate", "run", city.hub)[0] == 0
    for name, party in (("chen", "department"), ("zhao", "authority"), ("qian", "provider")):
        key = city.keys / name
        govhub("migrate", "approve", city.hub, SYSTEM, "--party", party, "--as", name, "--key", key)
    code, out, _ = govhub("migrate", "run", city.hub)
    assert (code, f"{SYSTEM}: done" in out) == (0, True)
    assert govhub("migrate", "run", city.hub) == (0, "No run is open.\n", "")

    folder = tmp_path / "papers"
    code, out, err = govhub("migrate", "dossier", "export", city.hub, SYSTEM, "--out", folder)
    assert code == 0, err
    code, out, _ = govhub("migrate", "dossier", "verify", folder)
    assert (code, "intact" in out, "6 signatures" in out) == (0, True, True)
    (folder / "dossier.html").write_text("nothing")
    code, out, _ = govhub("migrate", "dossier", "verify", folder)
    assert (code, "error[DOS003] dossier.html was changed" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "diagnostic"),
    [
        (("run", "HUB", "nothing"), 3, "RUN013"),
        (("run", "HUB", SYSTEM), 4, "RUN011"),
        (("run", "HUB", SYSTEM, "--itinerary", "cancel"), 4, "RUN012"),
        (("run", "HUB", "--itinerary", "migrate"), 64, "RUN018"),
        (("run", "HUB", "open-days", "--itinerary", "migrate"), 1, "RUN016"),
        (("status", "HUB", "nothing"), 3, "RUN013"),
        (("approve", "HUB", SYSTEM, "--party", "provider", "--as", "qian", "--key", "none"), 4, "APR010"),
        (("approve", "HUB", SYSTEM, "--party", "provider", "--as", "qian", "--key", "k", "--no-go"), 3, "APR011"),
        (("dossier", "export", "HUB", SYSTEM, "--out", "nowhere"), 3, "DOS012"),
        (("dossier", "verify", "nowhere"), 3, "DOS001"),
    ],
)
def test_what_goes_wrong_has_a_code_and_an_exit(
    city: City, govhub: Callable[..., Result], words: tuple[str, ...], code: int, diagnostic: str
) -> None:
    with (city.hub / "migration.yaml").open("a") as out:
        out.write(
            "  - system: open-days\n    moves:\n"
            "      - {name: db, kind: postgresql, source: old-server, database: days}\n"
        )
    found, shown, err = govhub("migrate", *(city.hub if word == "HUB" else word for word in words))
    assert found == code, (shown, err)
    assert diagnostic in shown + err
    assert "Traceback" not in err


def test_a_password_of_the_database_is_never_shown(
    city: City, govhub: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVHUB_DATABASE", "postgresql://u:hidden-word@127.0.0.1:1/d")
    code, out, err = govhub("migrate", "status", city.hub)
    assert (code, "REC002" in err) == (1, True)
    assert "hidden-word" not in out + err
