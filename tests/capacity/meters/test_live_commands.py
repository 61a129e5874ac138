"""``capacity show`` and ``racks`` with what is measured, or with the reason why nothing is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from capacity.meters.conftest import packages, until
from govhub.cli import i18n
from govhub.cli.main import main
from govhub.inventory.loader import Hub
from govhub.lab.meters.center import Meters
from govhub.lab.scratch import free_port

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")
    monkeypatch.setenv("COLUMNS", "160")
    i18n.use("en")

    def runs(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return runs


@packages
def test_measured_power_comes_from_the_lab(run: Run, meters: Meters, city: Hub) -> None:
    folder = str(city.folder)

    def shown(*words: str) -> dict[str, Any]:
        return json.loads(run("capacity", "show", folder, "--json", *words)[1])  # type: ignore[no-any-return]

    until(lambda: shown()["figures"]["power.measured"]["coverage"]["known"] == 8)
    document = shown()
    figure = document["figures"]["power.measured"]
    assert 0 < figure["numerator"] < document["figures"]["power.allocated"]["numerator"]
    assert figure["age_seconds"] < 30
    assert document["live"] == {"prometheus": meters.prometheus(), "clusters": [], "problems": []}
    assert "fabric" in document["links"]
    racks = json.loads(run("capacity", "racks", folder, "--json")[1])["racks"]
    assert sum(rack["measured_watts"] for rack in racks) == pytest.approx(figure["numerator"], rel=0.05)
    text = run("capacity", "show", folder)[1]
    assert "power measured of the budget (seconds old:" in text
    assert "Busiest port of each link" in text

    silent = shown("--no-live")
    assert "live" not in silent
    assert silent["figures"]["power.measured"]["coverage"]["known"] == 0


def test_nobody_answers_and_the_rest_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://reader:geheim@127.0.0.1:{free_port()}"
    code, out, err = run("capacity", "show", "jinzhou", "--prometheus", address)

    assert code == 0
    assert "! MTR005 Prometheus at http://127.0.0.1:" in out
    assert "power allocated of the budget" in out
    assert "geheim" not in out + err
    monkeypatch.setenv("GOVHUB_PROMETHEUS", address)
    chinese = run("--lang", "zh", "capacity", "racks", "jinzhou")[1]
    assert "实测来源" in chinese
    assert "MTR005" in chinese
    code, out, _ = run("config", "show")
    assert "[secret]@127.0.0.1" in out
    assert "geheim" not in out


def test_live_without_any_prometheus_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOVHUB_PROMETHEUS", raising=False)
    document = json.loads(run("capacity", "show", "dazu", "--live", "--json")[1])

    assert {text[:6] for text in document["live"]["problems"]} == {"MTR019", "MTR020"}
    assert all(item["usage"]["numerator"] is None for item in document["departments"])


def test_a_wrong_address_is_refused(run: Run) -> None:
    code, _, err = run("capacity", "show", "jinzhou", "--prometheus", "localhost:9090")

    assert code == 3
    assert "MTR004" in err
