"""Enrolment against the real Redfish emulator: what machines tell, what becomes of it, and what is refused."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.core.errors import InvalidInput, LockHeld, PolicyViolation, UsageError
from govhub.core.exits import Exit
from govhub.core.settings import Env
from govhub.engine.lease import HubLock
from govhub.engine.state import State
from govhub.inventory.sizing import capacity_of
from govhub.ops.enrol import EnrolRequest, EnrolResult, enrol
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket
from govhub.ops.targets import Target, targets_of
from hosts import emulators
from hosts.certificates import authority
from hosts.emulators import PASSWORD, USER, Emulator, Facts

MINI = Path(__file__).parents[1] / "hubs" / "mini"
FREE = {"rack": "site-a/h1/r02/03", "cluster": "main", "pool": "general", "address": "10.20.0.17"}


@pytest.fixture(scope="module")
def bmcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Emulator]]:
    """Machines of several kinds, each with a controller of its own; all are off."""
    base = tmp_path_factory.mktemp("bmc")
    machines = {
        "one": Facts("CN7012AA"),
        "two": Facts("CN7012AB", macs=("52:54:00:00:00:03",)),
        "large": Facts("CN9000XX", cores=64, gib=512, arm=True),
        "hostile": Facts(
            "{{ lookup('pipe', 'id') }}",
            told={"Manufacturer": "A" * 60, "Model": "NF\x1b[31m{{ 7*7 }}\n- evil: %s" * 9},
        ),
        "nameless": Facts("To be filled by O.E.M.", sockets=1),
    }
    started: dict[str, Emulator] = {}
    try:
        for name, facts in machines.items():
            started[name] = emulators.start(base / f"bmc-{name}", facts)
        started["pair"] = emulators.start(base / "bmc-pair", Facts("P1", name="a"), Facts("P2", name="b"))
        yield started
    finally:
        for one in started.values():
            one.stop()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small hub of one's own, and a login for the controllers."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOVHUB_STATE", raising=False)
    monkeypatch.setenv(Env.BMC_USER, USER)
    monkeypatch.setenv(Env.BMC_PASSWORD, PASSWORD)
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    return folder


def run(hub: Path, *bmcs: str, table: Any = None, options: Any = None, **more: Any) -> Any:
    """``hosts enrol`` with ``more`` as options of the machines, ``options`` as those of the run."""
    targets = targets_of(bmcs, Target(bmc="", **more), table)
    return enrol(EnrolRequest(hub=str(hub), targets=targets, **(options or {})))


def write(hub: Path, *bmcs: str, **more: Any) -> EnrolResult:
    options = {"write": True} | more.pop("options", {})
    result: EnrolResult = run(hub, *bmcs, options=options, **more)
    return result


def codes(result: EnrolResult) -> list[str]:
    return [item.code for item in result.problems]


def files(hub: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in hub.iterdir()}


def test_a_machine_is_described_as_it_tells_and_nothing_is_written(hub: Path, bmcs: dict[str, Emulator]) -> None:
    before = files(hub)
    result = run(hub, bmcs["large"].bmc)
    (match,) = result.matches
    told = match.machine
    assert (match.status, told.serial, told.model) == ("unnamed", "CN9000XX", "Inspur NF5280M6")
    assert (told.arch, told.cores, told.threads, told.memory) == ("arm64", 64, 128, 512 * 2**30)
    assert (told.storage, told.power, told.boot) == (1_920_000_000_000, "Off", "Hdd (Continuous)")
    assert told.macs == ("52:54:00:00:00:01", "52:54:00:00:00:02")
    assert (told.units, told.kg) == (None, None), "an enclosure's height is not the machine's"
    assert (result.exit, result.trial.diff, files(hub)) == (Exit.OK, "", before)


def test_a_new_machine_is_a_reviewed_change_of_the_file(hub: Path, bmcs: dict[str, Emulator]) -> None:
    before = files(hub)
    shown = run(hub, bmcs["one"].bmc, name="node7", **FREE)
    assert (shown.exit, shown.written, files(hub)) == (Exit.OK, False, before)
    added = [line[1:] for line in shown.trial.diff.splitlines()[2:] if line.startswith("+")]
    assert not [line for line in shown.trial.diff.splitlines()[2:] if line.startswith("-")], "nothing else is touched"

    done = write(hub, bmcs["one"].bmc, name="node7", **FREE)

    assert (done.exit, done.written) == (Exit.OK, True)
    text = (hub / "clusters.yaml").read_text()
    assert text.startswith(before["clusters.yaml"].decode()), "comments and layout stay"
    assert text.endswith("\n".join(added) + "\n")
    host = valid_hub(str(hub))[0].topology.hosts["node7"]
    assert (host.rack, host.serial, host.bmc, host.address) == (FREE["rack"], "CN7012AA", bmcs["one"].bmc, "10.20.0.17")
    assert (host.arch, host.millicores, host.memory) == ("amd64", 16_000, 64 * 2**30)
    assert "the machine does not tell units, watts, kg" in text


def test_the_same_machine_again_is_known(hub: Path, bmcs: dict[str, Emulator]) -> None:
    write(hub, bmcs["one"].bmc, name="node7", **FREE)
    before = files(hub)
    again = write(hub, bmcs["one"].bmc)
    assert [(match.status, match.name) for match in again.matches] == [("known", "node7")]
    assert (again.exit, again.written, again.problems, files(hub)) == (Exit.OK, False, [], before)
    other = write(hub, bmcs["one"].bmc, name="node8", **FREE)
    assert (other.exit, codes(other), files(hub)) == (Exit.INVALID, ["BMC020"], before)


def test_a_declared_host_is_bound_to_its_machine_and_differences_are_findings(
    hub: Path, bmcs: dict[str, Emulator]
) -> None:
    result = write(hub, bmcs["large"].bmc, name="node2", rack="site-a/h1/r01/03")
    assert [(match.status, match.name) for match in result.matches] == [("declared", "node2")]
    assert [item.code for item in result.problems] == ["BMC030"] * 4
    assert {item.summary.removeprefix("node2: ").partition(" ")[0] for item in result.problems} == {
        "arch",
        "cores",
        "memory",
        "rack",
    }
    assert all(item.severity.value == "warning" for item in result.problems)
    assert result.exit is Exit.OK
    hosts = valid_hub(str(hub))[0].topology.hosts
    assert (hosts["node2"].serial, hosts["node2"].rack) == ("CN9000XX", "site-a/h1/r01/02")
    assert "# Six nodes, each in a rack of its own" in (hub / "clusters.yaml").read_text()
    again = run(hub, bmcs["large"].bmc)
    assert (again.matches[0].status, len(again.problems)) == ("known", 3), "found again each time"


def test_equal_machines_become_one_run(hub: Path, bmcs: dict[str, Emulator]) -> None:
    places = FREE | {"rack": "site-a/h1/r02/{03..04}", "address": "10.20.0.{17..18}"}
    result = write(hub, bmcs["one"].bmc, bmcs["two"].bmc, name="node{7..8}", units="2", watts="700", kg="28", **places)
    assert result.exit is Exit.OK
    model = valid_hub(str(hub))[0].model.hosts[-1]
    assert (model.names, model.racks, model.addresses) == ("node{7..8}", places["rack"], places["address"])
    assert (model.units, model.watts, model.kg, model.assumed) == (2, 700, 28.0, False)
    assert {name: one.serial for name, one in model.machines.items()} == {"node7": "CN7012AA", "node8": "CN7012AB"}


def test_a_table_says_which_machine_is_which_host(hub: Path, bmcs: dict[str, Emulator], tmp_path: Path) -> None:
    table = tmp_path / "machines.csv"
    rows = [("带外地址", "名称", "机柜"), (bmcs["one"].bmc, "node7", FREE["rack"]), (bmcs["two"].bmc, "node1", "")]
    table.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    result = write(hub, table=table, cluster="main", pool="general")
    assert {match.name: match.status for match in result.matches} == {"node7": "new", "node1": "declared"}
    hosts = valid_hub(str(hub))[0].topology.hosts
    assert (hosts["node7"].pool, hosts["node1"].serial) == ("general", "CN7012AB")


REFUSED = [
    ({"rack": "site-a/h1/r09/01"}, "PLC005", "no rack of this hub"),
    ({"units": "12", "rack": "site-a/h1/r01/01", "watts": "4900"}, "PLC012", "overfull"),
    ({"pool": "gold"}, "REF001", "no pool"),
    ({"name": "Node_7"}, "INV003", "right form"),
    ({"address": "everywhere"}, "INV003", "right form"),
]


@pytest.mark.parametrize(("change", "code", "text"), REFUSED, ids=[code for _, code, _ in REFUSED])
def test_what_would_break_the_hub_is_refused_and_not_written(
    hub: Path, bmcs: dict[str, Emulator], change: dict[str, str], code: str, text: str
) -> None:
    before = files(hub)
    result = write(hub, bmcs["one"].bmc, **({"name": "node7"} | FREE | change))
    assert (result.exit, result.written, files(hub)) == (Exit.INVALID, False, before)
    assert code in codes(result)
    assert any(text in item.summary for item in result.problems)


@pytest.mark.parametrize(("old", "new", "code"), [("42", "3", "PLC010"), ("1000", "50", "PLC011")])
def test_a_rack_takes_no_more_height_and_weight_than_it_has(
    hub: Path, bmcs: dict[str, Emulator], old: str, new: str, code: str
) -> None:
    path = hub / "sites.yaml"
    path.write_text(path.read_text().replace(old, new))
    result = write(hub, bmcs["one"].bmc, name="node7", **(FREE | {"rack": "site-a/h1/r01/01"}))
    assert (result.exit, codes(result)) == (Exit.INVALID, [code])


def test_each_controller_that_fails_is_told_once_and_the_others_go_on(hub: Path, bmcs: dict[str, Emulator]) -> None:
    with WebServer() as web, MuteServer() as mute:
        closed = f"http://127.0.0.1:{emulators.free_port()}"
        unverified = bmcs["two"].bmc.replace("http://", "https://")
        addresses = [closed, f"http://127.0.0.1:{mute}", bmcs["one"].bmc, f"http://127.0.0.1:{web}", unverified]
        addresses += [bmcs["pair"].bmc]
        result = run(hub, *addresses, options={"timeout": 2.0})
    by_address = {item.address: item.code for item in result.problems}
    assert by_address == {
        closed: "BMC010",
        f"http://127.0.0.1:{mute}": "BMC010",
        f"http://127.0.0.1:{web}": "BMC013",
        unverified: "BMC010",
        bmcs["pair"].bmc: "BMC014",
    }
    assert len(result.problems) == len(by_address)
    assert all(item.hint for item in result.problems)
    assert [match.machine.serial for match in result.matches] == ["CN7012AA"]
    assert result.exit is Exit.UNREACHABLE


def test_one_machine_of_several_behind_a_controller_is_named_by_its_path(hub: Path, bmcs: dict[str, Emulator]) -> None:
    pair = bmcs["pair"]
    paths = [item["@odata.id"] for item in json.loads(pair.get("/redfish/v1/Systems"))["Members"]]
    result = run(hub, *(f"{pair.bmc}{path}" for path in paths))
    assert [match.machine.serial for match in result.matches] == ["P1", "P2"]


def test_a_wrong_password_is_refused_and_nothing_is_done(
    hub: Path, bmcs: dict[str, Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Env.BMC_PASSWORD, "guessed-wrongly")
    before = files(hub)
    result = write(hub, bmcs["one"].bmc, name="node7", options={"power": "on"}, **FREE)
    assert (codes(result), result.exit, files(hub)) == (["BMC011"], Exit.UNREACHABLE, before)
    assert bmcs["one"].system()["PowerState"] == "Off"
    assert "guessed" not in json.dumps(result.as_dict())


def test_without_a_serial_number_the_uuid_tells_the_machine(hub: Path, bmcs: dict[str, Emulator]) -> None:
    (match,) = run(hub, bmcs["nameless"].bmc).matches
    assert match.machine.serial == bmcs["nameless"].system()["UUID"]


def test_what_a_controller_tells_is_not_taken_as_it_is(hub: Path, bmcs: dict[str, Emulator]) -> None:
    result = write(hub, bmcs["hostile"].bmc, name="node2")
    assert (result.exit, codes(result)) == (Exit.OK, [])
    told = result.matches[0].machine
    assert told.serial == bmcs["hostile"].system()["UUID"], "no serial number has that form"
    assert len(told.model) == 80
    assert not set(told.model) & set("{}%\x1b\n")
    machine = valid_hub(str(hub))[0].model.hosts[0].machines["node2"]
    assert (machine.serial, machine.model) == (told.serial, told.model)


def test_power_and_boot_are_only_shown_without_yes(hub: Path, bmcs: dict[str, Emulator]) -> None:
    result = run(hub, bmcs["two"].bmc, options={"power": "on", "network_boot": True})
    assert (result.wanted, result.acted) == (["network boot once", "power on"], [])
    assert (bmcs["two"].patches(), bmcs["two"].system()["PowerState"]) == ([], "Off")


def test_the_machine_is_switched_and_starts_from_the_network_once(hub: Path, bmcs: dict[str, Emulator]) -> None:
    bmc = bmcs["two"]
    result = write(hub, bmc.bmc, options={"power": "on", "network_boot": True})
    assert (result.exit, result.acted) == (Exit.OK, [bmc.bmc])
    assert bmc.comes_to("On")
    assert bmc.system()["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    assert bmc.patches()[-1]["Boot"]["BootSourceOverrideEnabled"] == "Once", "the emulator itself knows no once"
    assert run(hub, bmc.bmc).matches[0].machine.power == "On"
    write(hub, bmc.bmc, options={"power": "force-off"})
    assert bmc.comes_to("Off")


def test_a_machine_in_service_is_only_interrupted_by_name(hub: Path, bmcs: dict[str, Emulator]) -> None:
    bmc = bmcs["large"]
    write(hub, bmc.bmc, name="node2")
    before = bmc.patches()
    for action in ({"power": "restart"}, {"power": "off"}, {"network_boot": True}):
        with pytest.raises(PolicyViolation, match="in service would be interrupted: node2"):
            write(hub, bmc.bmc, options=action)
    with pytest.raises(PolicyViolation):
        write(hub, bmc.bmc, options={"network_boot": True, "confirm": ("node3",)})
    assert (bmc.patches(), bmc.system()["PowerState"]) == (before, "Off")
    assert write(hub, bmc.bmc, options={"power": "on"}).acted == [bmc.bmc], "switching on interrupts nobody"
    assert bmc.comes_to("On")
    assert write(hub, bmc.bmc, options={"power": "force-off", "confirm": ("node2",)}).acted == [bmc.bmc]
    assert bmc.comes_to("Off")


def test_the_certificate_must_be_signed_by_the_hubs_authority(hub: Path, tmp_path: Path) -> None:
    made = authority(tmp_path / "ca")
    bmc = emulators.start(tmp_path / "bmc-tls", Facts("TLS1"), tls=(made.certificate, made.key))
    try:
        assert codes(run(hub, bmc.bmc)) == ["BMC012"]
        text = "".join(f"    {line}\n" for line in made.authority.read_text().splitlines())
        (hub / "baseline.yaml").write_text(f"baseline:\n  bmc_ca: |\n{text}")
        result = run(hub, bmc.bmc)
        assert (codes(result), [match.machine.serial for match in result.matches]) == ([], ["TLS1"])
        other = authority(tmp_path / "other")
        text = "".join(f"    {line}\n" for line in other.authority.read_text().splitlines())
        (hub / "baseline.yaml").write_text(f"baseline:\n  bmc_ca: |\n{text}")
        assert codes(run(hub, bmc.bmc)) == ["BMC012"]
    finally:
        bmc.stop()


def test_a_password_never_crosses_a_network_in_clear(hub: Path) -> None:
    with pytest.raises(InvalidInput, match="in clear") as caught:
        run(hub, "http://10.62.13.11")
    assert caught.value.diagnostics[0].code == "BMC001"


def test_the_password_file_must_be_private(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(Env.BMC_PASSWORD)
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="open to others"):
        run(hub, "10.0.0.1", options={"password_file": path})
    inside = hub / "password"
    inside.write_text(PASSWORD)
    inside.chmod(0o600)
    with pytest.raises(InvalidInput, match="inside the hub folder"):
        run(hub, "10.0.0.1", options={"password_file": inside})
    with pytest.raises(UsageError, match="no password"):
        run(hub, "10.0.0.1")


def test_the_password_comes_from_a_private_file_or_a_question_and_stays_there(
    hub: Path, bmcs: dict[str, Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(Env.BMC_PASSWORD)
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    assert codes(write(hub, bmcs["one"].bmc, options={"password_file": path}, name="node7", **FREE)) == []
    asked: list[str] = []

    def ask(user: str) -> str:
        asked.append(user)
        return PASSWORD

    assert (codes(run(hub, bmcs["one"].bmc, options={"ask": ask})), asked) == ([], [USER])
    left = [item for base in (tmp_path / "home", hub) for item in base.rglob("*") if item.is_file()]
    assert left
    assert not [item for item in left if PASSWORD.encode() in item.read_bytes()]


def test_a_replaced_machine_is_provisioned_from_bare(hub: Path, bmcs: dict[str, Emulator]) -> None:
    write(hub, bmcs["one"].bmc, name="node2")
    loaded = valid_hub(str(hub))[0]
    state = State(loaded.name, state_bucket(loaded))
    state.write("hosts/node2.json", {"roles": {}})
    state.write("hosts/node3.json", {"roles": {}})
    refused = write(hub, bmcs["two"].bmc, name="node2")
    assert (refused.exit, codes(refused)) == (Exit.INVALID, ["BMC021"])
    assert state.read("hosts/node2.json") is not None
    shown = run(hub, bmcs["two"].bmc, options={"replace": "node2"})
    assert (shown.matches[0].status, state.read("hosts/node2.json") is not None) == ("replaced", True)

    result = write(hub, bmcs["two"].bmc, options={"replace": "node2"})

    assert (result.exit, result.matches[0].status) == (Exit.OK, "replaced")
    assert (state.read("hosts/node2.json"), state.read("hosts/node3.json")) == (None, {"roles": {}})
    after = valid_hub(str(hub))[0].topology.hosts
    assert after["node2"].serial == "CN7012AB"
    assert replace(after["node2"], serial="", bmc="") == replace(loaded.topology.hosts["node2"], serial="", bmc="")
    again = write(hub, bmcs["two"].bmc, options={"replace": "node2"})
    assert (codes(again), again.exit) == (["BMC020"], Exit.INVALID)
    assert codes(write(hub, bmcs["one"].bmc, options={"replace": "node99"})) == ["BMC021"]


def test_the_former_machines_key_is_let_go_of_only_when_asked(
    hub: Path, bmcs: dict[str, Emulator], tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    keys = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"
    known.write_text(f"10.77.0.12 {keys}10.77.0.13 {keys}")
    place = tmp_path / "home" / "lab" / "mini" / "connections.json"
    place.parent.mkdir(parents=True)
    reach = {"address": "10.77.0.12", "user": "govhub", "key": "", "known_hosts": str(known)}
    place.write_text(json.dumps({"hosts": {"node2": reach}, "variables": {}, "networks": {}}))
    assert write(hub, bmcs["one"].bmc, options={"replace": "node2"}).stale_key == "10.77.0.12"
    assert "10.77.0.12" in known.read_text(), "it is told, not touched"
    assert write(hub, bmcs["two"].bmc, options={"replace": "node2", "forget_key": True}).stale_key == ""
    assert known.read_text() == f"10.77.0.13 {keys}"


def test_the_command_line_says_it_as_text_and_as_json_and_never_the_password(
    hub: Path, bmcs: dict[str, Emulator], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["hosts", "enrol", str(hub), "--bmc", bmcs["one"].bmc, "--name", "node7", "--verbose"]
    words += [f"--{key}={value}" for key, value in FREE.items()]
    assert main(words) == Exit.OK
    shown = capsys.readouterr()
    assert "+  - names: node7" in shown.out
    assert "Nothing was written or switched. To do it, add: --yes" in shown.out
    assert main([*words, "--yes", "--json"]) == Exit.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["written"], document["files"]) == ("govhub.enrol/1", True, ["clusters.yaml"])
    assert document["machines"][0]["serial"] == "CN7012AA"
    assert main(["hosts", "enrol", str(hub), "--bmc", bmcs["one"].bmc, "--lang", "zh"]) == Exit.OK
    said = capsys.readouterr()
    assert "已登记" in said.out
    assert PASSWORD not in "".join((*shown, *said))
    monkeypatch.setenv(Env.BMC_PASSWORD, "guessed-wrongly")
    assert main(["hosts", "enrol", str(hub), "--bmc", bmcs["one"].bmc]) == Exit.UNREACHABLE
    said = capsys.readouterr()
    assert "error[BMC011]" in said.out
    assert "guessed" not in said.out + said.err
    assert main(["config", "show"]) == Exit.OK
    assert "guessed" not in capsys.readouterr().out


def test_nothing_is_written_while_a_run_works_on_the_hub(hub: Path, bmcs: dict[str, Emulator]) -> None:
    loaded = valid_hub(str(hub))[0]
    before = files(hub)
    with HubLock(State(loaded.name, state_bucket(loaded)), "other", "up"), pytest.raises(LockHeld):
        write(hub, bmcs["one"].bmc, name="node7", **FREE)
    assert files(hub) == before


def test_a_new_host_counts_in_capacity(hub: Path, bmcs: dict[str, Emulator]) -> None:
    before = capacity_of(valid_hub(str(hub))[0].topology.nodes("main"))
    write(hub, bmcs["one"].bmc, name="node7", **FREE)
    gained = capacity_of(valid_hub(str(hub))[0].topology.nodes("main")) - before
    assert (gained.millicores, gained.memory) == (16_000, 64 * 2**30)


BAD_TABLES = [
    ("name\nnode7\n", "no column bmc"),
    ("bmc,serial\n10.0.0.1,X\n", '"serial" is no column'),
    ("bmc,name\n,node7\n", "has no controller"),
    ("bmc,units\n10.0.0.1,two\n", "units is no number"),
    ("bmc,role\n10.0.0.1,king\n", "there is no role"),
    ("bmc\n10.0.0.1\n10.0.0.1\n", "is given twice"),
    ("bmc\n10.0.0.1,x\n", "more cells"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TABLES, ids=[message for _, message in BAD_TABLES])
def test_a_bad_table_is_told(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "machines.csv"
    table.write_text(text)
    with pytest.raises(InvalidInput, match=message):
        targets_of((), Target(bmc=""), table)


def test_patterns_must_stand_for_as_many(hub: Path) -> None:
    with pytest.raises(UsageError, match="--name stands for 2, and there are 3"):
        run(hub, "10.0.0.{1..3}", name="node{7..8}")
    with pytest.raises(UsageError, match="no management controller"):
        run(hub)
    with pytest.raises(UsageError, match="takes one machine"):
        run(hub, "10.0.0.{1..2}", options={"replace": "node1"})


class WebServer:
    """A web server that knows no Redfish."""

    def __enter__(self) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>It works!</html>")

            def log_message(self, *words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_port

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class MuteServer:
    """A port that takes connections and never says a word."""

    def __enter__(self) -> int:
        self.server = socket.create_server(("127.0.0.1", 0))
        port: int = self.server.getsockname()[1]
        return port

    def __exit__(self, *error: object) -> None:
        with closing(self.server):
            pass
