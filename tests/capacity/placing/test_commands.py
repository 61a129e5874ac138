"""``capacity what-if`` as a command, and what plans say of capacity."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from govhub.cli import i18n
from govhub.cli.main import main
from govhub.engine.bucket import open_bucket
from govhub.engine.state import State
from govhub.ops.capacity.consumed import read, record, since_applied
from inventory.hubs import BASE, HERE, HubFolder

SHIPPED = Path(__file__).parents[3] / "inventories"
MORE = """hosts:
  - {names: "more-{1..4}", cluster: main, pool: general, arch: amd64, cores: 32, memory: 128Gi, watts: 400, units: 1}
  - {names: "big-{1..9}", cluster: main, pool: general, arch: amd64, cores: 32, memory: 128Gi, watts: 900, units: 2}
"""


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(SHIPPED))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")
    i18n.use("en")


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    return found


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(("capacity", "what-if", *words, "--json"))
    return code, json.loads(capsys.readouterr().out)


def test_five_hundred_servers_fit_into_yichang(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = ask(capsys, "yichang", "--servers", "500")
    (found,) = document["placements"]
    halls = {item["at"]: item for item in document["changes"] if item["resource"] == "budget"}

    assert (code, document["fits"], document["schema"]) == (0, True, "govhub.capacity/1")
    assert (found["placed"], sum(row["machines"] for row in found["rows"]), found["binding"]) == (500, 500, None)
    assert sum(item["change"] for item in halls.values()) == pytest.approx(500 * 800)
    assert found["unknown"] == {}


def test_what_stops_the_next_server_is_named_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = ask(capsys, "jinzhou", "--servers", "500", "--place", "jz-dr")
    (found,) = document["placements"]
    binding = found["binding"]

    # 16 standard racks of 2.5 kW, of which 6.44 kW are taken: 41 servers of 800 W.
    assert (code, found["placed"], binding["resource"], binding["at"]) == (4, 41, "budget", "jz-dr/h1")
    assert binding["source"]["file"] == "jinzhou/sites.yaml"
    # The room has one side: racks without side B have nothing unknown there.
    assert found["unknown"] == {}
    assert (SHIPPED / "jinzhou/sites.yaml").read_text().splitlines()[
        binding["source"]["line"] - 1
    ].strip() == "- name: h1"


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (("--type", "ai-server"), (4, 4600.0, 90.0)),
        (("--type", "ai-arm64"), (4, 5600.0, 75.0)),
        (("--type", "ai-server", "--watts", "100", "--units", "1"), (1, 100.0, 90.0)),
        ((), (2, 800.0, 30.0)),
    ],
)
def test_types_and_sizes(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], size: tuple[int, float, float]
) -> None:
    _, document = ask(capsys, "jinzhou", "--servers", "1", *words)
    machine = document["placements"][0]["machine"]

    assert (machine["units"], machine["watts"], machine["kg"]) == size


@pytest.mark.parametrize(
    ("words", "code", "found"),
    [
        ((), 64, "USE010"),
        (("--servers", "1", "--type", "ai-amr64"), 3, "FIT011"),
        (("--lose", "jz-upz-a"), 3, "FIT010"),
        (("--servers", "1", "--place", "nowhere"), 3, "SEL001"),
        (("--file", "/nonexistent.yaml"), 3, "FIT012"),
    ],
)
def test_wrong_questions_are_told(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, found: str
) -> None:
    ended, document = ask(capsys, "jinzhou", *words)

    assert (ended, [item["code"] for item in document["diagnostics"]]) == (code, [found])


def test_a_file_finds_racks_for_hosts_that_name_none(
    folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(MORE)
    code, document = ask(capsys, str(folder.path), "--file", str(file))
    first, second = document["placements"]
    errors = [item for item in document["findings"] if item["severity"] == "error"]
    cores = {item["at"]: item for item in document["changes"] if item["resource"] == "pool.cores"}

    # The hall is built for 8 × 2.5 kW and holds 14.5: four of 400 W leave 3.9 kW, which are four of 900 W.
    assert (first["placed"], second["placed"], second["wanted"]) == (4, 4, 9)
    assert (second["binding"]["resource"], code) == ("budget", 4)
    assert [(item["code"], item["source"]["file"], item["source"]["line"]) for item in errors] == [
        ("FIT013", "more.yaml", 3)
    ]
    # Without the rack that got most of them, the pool of eight has sixteen less those.
    inside = Counter({f"jz/h1/r{row}/0{rack}": 1 for row in (1, 2) for rack in (1, 2, 3, 4)})
    for found in (first, second):
        inside.update({item["rack"]: item["machines"] for item in found["racks"]})
    worst = max(inside.values())
    assert cores["main/general"]["limit"] == (16 - worst) * 32


@pytest.mark.parametrize("kind", ["general", "c03"])
def test_machines_of_a_pool_are_nodes_of_it(
    folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(MORE.splitlines()[0] + "\n" + MORE.splitlines()[1] + "\n")
    _, filed = ask(capsys, str(folder.path), "--file", str(file))
    size = ("--watts", "400", "--units", "1")
    code, document = ask(capsys, str(folder.path), "--servers", "4", "--type", kind, *size)
    pools = [[item for item in found["changes"] if item["resource"].startswith("pool.")] for found in (filed, document)]

    assert code == 0
    assert {(item["resource"], item["at"]) for item in pools[1]} == {
        (resource, at) for resource in ("pool.cores", "pool.memory") for at in ("main", "main/general")
    }
    # As a file says that has the same nodes: a what-if has one answer.
    assert pools[0] == pools[1]
    assert document["changes"] == filed["changes"]


def test_machines_of_no_pool_are_nobodys_nodes(folder: HubFolder, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = ask(capsys, str(folder.path), "--servers", "4", "--watts", "400")

    assert document["placements"][0]["placed"] == 4
    assert not [item for item in document["changes"] if item["resource"].startswith("pool.")]


def test_a_file_is_checked_as_if_it_stood_in_the_hub(
    folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "systems.yaml"
    file.write_text(
        """systems:
  - {name: huge, title: {zh: 大, en: Huge}, tenant: finance, owner: office, tier: 2, protection_level: 2, workloads: [
     {name: all, image: "registry.testcity.gov.internal/huge/all:1.0", replicas: 90, cpu: 4, memory: 8Gi}]}
"""
    )
    code, document = ask(capsys, str(folder.path), "--file", str(file))

    assert code == 4
    assert "CAP003" in {item["code"] for item in document["findings"]}
    quota = next(item for item in document["changes"] if (item["resource"], item["at"]) == ("quota.cores", "finance"))
    assert quota["change"] == 360


def test_a_loss_with_servers_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("capacity", "what-if", "jinzhou", "--lose", "jz-a/h1/r06", "--servers", "10")) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "jinzhou: fits"
    assert "without power: 22 racks" in out
    assert "placed 10 / 10 (spread)" in out
    assert main(("--lang", "zh", "capacity", "what-if", "jinzhou", "--lose", "jz-ups-a", "--servers", "999")) == 4
    chinese = capsys.readouterr().out
    assert "容量不足" in chinese
    assert "只剩一路供电: 180 个机柜" in chinese


def test_a_plan_shows_what_a_change_takes(
    folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(shutil.copytree(folder.path, tmp_path / "before" / "testcity"))
    folder.edit("places.yaml", "names: n1", 'names: "n{1..2}"')
    page, events = tmp_path / "plan.md", tmp_path / "plan.ndjson"
    words = ("plan", str(folder.path), "--against", str(before), "--markdown", str(page), "--events", str(events))
    assert main((*words, "--json")) == 0
    taken = json.loads(capsys.readouterr().out)["consumed"]
    levels = {(item["resource"], item["at"]): item for item in taken["levels"]}

    assert taken["than"] == "revision"
    assert levels["budget", "jz/h1"]["change"] == 200
    assert levels["element", "ups-a"]["change"] == 200
    assert (levels["space", "jz/h1"]["change"], levels["machines", "jz/h1"]["change"]) == (2, 1)
    assert ("quota.cores", "finance") not in levels
    assert "| power budget of the hall | jz/h1 | 14.5 kW | 14.7 kW | +0.2 kW |" in page.read_text()
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [item["data"]["consumed"]["than"] for item in told if "consumed" in item["data"]] == ["revision"]
    assert main(words) == 0
    assert "Space, power, cooling, pools and quotas (compared with the other revision)" in capsys.readouterr().out


def test_before_is_what_the_last_run_wrote(folder: HubFolder, tmp_path: Path) -> None:
    state = State("testcity", open_bucket(f"file://{tmp_path / 'state'}"))
    hub = folder.hub()
    first = since_applied(hub, state, fresh=True)
    unknown = since_applied(hub, state, fresh=False)
    record(hub, state)
    same = since_applied(hub, state, fresh=False)
    folder.edit("places.yaml", "names: n1", 'names: "n{1..3}"')
    more = since_applied(folder.hub(), state, fresh=False)

    assert (first.than, unknown.than, unknown.levels) == ("nothing", "unknown", ())
    assert {item.before for item in first.levels if item.resource == "budget"} == {0.0}
    assert (same.than, same.levels) == ("applied", ())
    changed = {(item.resource, item.at): (item.before, item.after) for item in more.levels}
    assert changed["budget", "jz/h1"] == (14_500, 14_900)
    state.write("capacity.json", {"version": 0, "levels": []})
    assert read(state) is None


def test_a_narrow_terminal_folds_nothing_away(folder: HubFolder) -> None:
    from govhub.cli.views.capacity_whatif import show_what_if
    from govhub.ops.capacity.whatif import WhatIfRequest, what_if

    request = WhatIfRequest(hub=str(folder.path), servers=400, lose=("jz/h1/r2", "spine-1", "crah-1", "exit"))
    document = what_if(request).document
    out = io.StringIO()
    show_what_if(Console(file=out, width=80), document)

    text = out.getvalue()
    assert "testcity: does not fit" in text
    for words in ("without power: 4 racks", "cooling jz/h1", "oversubscription 2 : 1 →", "lines internet: 20 → 0"):
        assert words in text
