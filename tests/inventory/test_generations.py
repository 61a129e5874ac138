"""Generations are raised in place: one number changes, in whatever style a file is written, and nothing else."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.inventory.editing.generations import raised
from govhub.inventory.editing.items import edit
from govhub.inventory.editing.meaning import ItemEdit, plain
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.loader import Hub
from inventory.test_host_edits import TODAY, hub_of

MINI = Path(__file__).parents[1] / "hubs" / "mini"
HUB = "hub: {name: x}   # kept\n"
CASES = {
    "a number": ("baseline:\n  certificates: {generation: 7}  # why\n", "certificates: {generation: 8}  # why"),
    "odd spaces": ("baseline: { certificates:   {  generation : 7 } , login: x }\n", "{  generation : 8 } , login"),
    "a block": ("baseline:\n  certificates:\n    generation: 7\n", "    generation: 8\n"),
    "no certificates": (
        "baseline:\n  timezone: Asia/Shanghai  # ours\n\n  # the account\n  login: x\n",
        "Asia/Shanghai  # ours\n  certificates: {generation: 8}\n\n  # the account\n  login: x\n",
    ),
    "nothing before it": ("baseline:\n  login: x\nz: 1\n", "  login: x\n  certificates: {generation: 8}\nz: 1\n"),
    "no line end": ("baseline:\n  timezone: UTC", "  timezone: UTC\n  certificates: {generation: 8}"),
    "one line": ("baseline: {journal_days: 200, login: x}\n", "200, certificates: {generation: 8}, login: x}"),
    "an empty line": ("baseline: {}\n", "baseline: {certificates: {generation: 8}}\n"),
    "a long text": (
        "baseline:\n  bmc_ca: |\n    one\n    two\n  login: x\nmore: 1\n",
        "    two\n  certificates: {generation: 8}\n  login: x\nmore: 1\n",
    ),
    "no baseline": ("", f"{HUB}\nbaseline:\n  certificates: {{generation: 8}}\n"),
    "windows": ("baseline:\r\n  certificates: {generation: 7}\r\n", "certificates: {generation: 8}\r\n"),
    "windows, put in": ("baseline:\r\n  timezone: UTC\r\n", "UTC\r\n  certificates: {generation: 8}\r\n"),
}
DATABASES = """\
databases:
  - {name: one, engine: mariadb,   hosts: [db1],   tenants: []}
  # the second
  - name: two
    engine: postgresql
    hosts: [db2]   # alone
    tenants: []
    generation: 4   # since the audit
"""
HOSTS = "\n  - {names: 'db{1..2}', racks: 'site-a/h1/r02/03', role: database, arch: amd64, cores: 8, memory: 64Gi}\n"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Two databases, in either style; certificates are not mentioned."""
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    clusters = folder / "clusters.yaml"
    clusters.write_text(clusters.read_text().rstrip() + HOSTS, encoding="utf-8")
    (folder / "databases.yaml").write_text(DATABASES, encoding="utf-8")
    return hub_of(folder)


def tried(hub: Hub, *databases: str, certificates: bool = False) -> Trial:
    return attempt(hub, raised(hub, certificates=certificates, databases=databases), TODAY)


def only_added(before: str, after: str) -> bool:
    """Whether nothing but a number was replaced, and everything else kept or put in."""
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return all(tag in ("equal", "insert") or before[i:j].isdigit() for tag, i, j, _, _ in steps)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", CASES)
def test_the_certificates_generation(hub: Hub, name: str, mark: str, tmp_path: Path) -> None:
    text, expected = CASES[name]
    (layout,) = raised(hub, certificates=True, databases=())
    one = ItemEdit(changes={("certificates", "generation"): 8})
    after = edit(mark + HUB + text, layout, [one], tmp_path / "scratch.yaml")
    assert after.startswith(mark + HUB)
    assert expected in after
    assert only_added(mark + HUB + text, after)


def test_a_databases_generation_by_its_name_in_either_style(hub: Hub) -> None:
    def after(*names: str) -> str:
        trial = tried(hub, *names)
        assert (list(trial.after), trial.errors) == (["databases.yaml"], [])
        return trial.after["databases.yaml"].decode()

    one = "  - {name: one, engine: mariadb,   hosts: [db1], generation: 2,   tenants: []}\n"
    two = "    generation: 5   # since the audit\n"
    first, second = DATABASES.splitlines(keepends=True)[1], DATABASES.splitlines(keepends=True)[-1]
    assert after("one") == DATABASES.replace(first, one)
    assert after("two") == DATABASES.replace(second, two)
    assert after("one", "two") == DATABASES.replace(first, one).replace(second, two)


def test_the_hub_means_the_same_but_for_the_numbers(hub: Hub) -> None:
    before = plain(hub.tree)
    trial = tried(hub, "two", certificates=True)
    replace_files(hub, trial.before, trial.after)
    after = hub_of(hub.folder)
    assert plain(after.tree) == before | {
        "baseline": {"certificates": {"generation": 2}},
        "databases": [before["databases"][0], before["databases"][1] | {"generation": 5}],
    }
    (again,) = tried(after, certificates=True).after
    assert again == "hub.yaml", "beside the hub's name"


def test_two_sections_of_one_file_change_together(hub: Hub) -> None:
    (hub.folder / "databases.yaml").write_text(f"{DATABASES}baseline:\n  login: x\n", encoding="utf-8")
    trial = tried(hub_of(hub.folder), "two", certificates=True)
    text = trial.after["databases.yaml"].decode()
    assert text == DATABASES.replace("generation: 4", "generation: 5") + (
        "baseline:\n  login: x\n  certificates: {generation: 2}\n"
    )


def test_keys_that_come_to_one_place_keep_their_order(hub: Hub, tmp_path: Path) -> None:
    (layout,) = raised(hub, certificates=True, databases=())
    one = ItemEdit(changes={("timezone",): "UTC", ("journal_days",): 200, ("login",): "x"})
    for text, expected in (
        ("baseline: {assumed: true}\n", "{assumed: true, timezone: UTC, journal_days: 200, login: x}"),
        ("baseline:\n  assumed: true\n", "  assumed: true\n  timezone: UTC\n  journal_days: 200\n  login: x\n"),
    ):
        assert expected in edit(HUB + text, layout, [one], tmp_path / "scratch.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "other: &one {generation: 7}\nbaseline: {certificates: *one}\n",
        "other: &one {certificates: {generation: 7}}\nbaseline: *one\n",
        "baseline: {certificates: {generation: &one 7}}\nother: *one\n",
        "baseline:\n",
    ],
)
def test_a_number_that_stands_for_two_things_is_not_raised_for_both(hub: Hub, text: str, tmp_path: Path) -> None:
    (layout,) = raised(hub, certificates=True, databases=())
    one = ItemEdit(changes={("certificates", "generation"): 8})
    with pytest.raises(InvalidInput) as refused:
        edit(HUB + text, layout, [one], tmp_path / "scratch.yaml")
    (problem,) = refused.value.diagnostics
    assert (problem.code, "baseline by hand" in problem.hint) == ("IMP034", True)


def test_the_change_is_shown_as_a_diff(hub: Hub) -> None:
    shown = tried(hub, "two").diff.splitlines()
    assert [line for line in shown if line[:1] in "+-"][2:] == [
        "-    generation: 4   # since the audit",
        "+    generation: 5   # since the audit",
    ]


def test_files_that_somebody_changed_meanwhile_are_not_replaced(hub: Hub) -> None:
    trial = tried(hub, "two")
    path = hub.folder / "databases.yaml"
    path.write_text(f"{DATABASES}# mine\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        replace_files(hub, trial.before, trial.after)
    assert refused.value.diagnostics[0].code == "IMP032"
    assert path.read_text().endswith("# mine\n")
