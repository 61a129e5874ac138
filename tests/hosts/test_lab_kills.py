"""A `lab up` that is killed at any moment: `lab down`, or the next `lab up`, leaves nothing of it on the machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from govhub.lab.hosts import limits
from govhub.lab.hosts.fleet import Fleet
from hosts.conftest import HostHub, lab_copy
from hosts.trail import SYS, trail

BOOT = "import sys; from govhub.ops.labhosts import boot_hosts; from govhub.ops.load import valid_hub; "
BOOT += "boot_hosts(valid_hub(sys.argv[1])[0], 2, print)"
LIMIT = next(iter(limits.NEEDED))
# How far the killed run has come, in the order in which it comes there.
MOMENTS: dict[str, Callable[[Fleet], bool]] = {
    "a namespace": lambda fleet: fleet.network.exists(),
    "a card": lambda _: "govhub0" in {name for _, name in socket.if_nameindex()},
    "a folder": lambda fleet: fleet.folder.is_dir(),
    "a note of settings": lambda fleet: (fleet.folder / "limits.json").exists(),
    "the web server": lambda fleet: (fleet.folder / "mirror.pid").exists(),
    "a list of hosts": lambda fleet: (fleet.folder / "hosts.json").exists(),
    "a mount": lambda fleet: any(machine.root.is_mount() for machine in fleet.machines().values()),
    "a supervisor": lambda fleet: any(machine.pid() for machine in fleet.machines().values()),
    "a booting host": lambda fleet: any(machine.inits() for machine in fleet.machines().values()),
}


@pytest.fixture(scope="module")
def bare_hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostHub]:
    """A hub whose lab nobody has booted; the machine's limit is one that has to be raised."""
    limit = SYS / LIMIT
    former = limit.read_text()
    with lab_copy("mini", tmp_path_factory) as folder:
        hub = HostHub(folder)
        # What is built once is no matter of these tests.
        hub.boot(1)
        hub.fleet.down()
        if int(former) >= limits.NEEDED[LIMIT]:
            limit.write_text(str(limits.NEEDED[LIMIT] // 2))
        try:
            yield hub
        finally:
            hub.fleet.down()
            limit.write_text(former)


@pytest.fixture
def killed_hub(bare_hub: HostHub) -> Iterator[HostHub]:
    """The same; what a test that failed has left is not the next one's."""
    yield bare_hub
    bare_hub.fleet.down()


def kill_at(hub: HostHub, moment: Callable[[Fleet], bool]) -> None:
    """Boot two hosts in a process of its own, and kill it, and it alone, when it has come that far."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    log = hub.folder.parent / "killed.log"
    with log.open("w", encoding="utf-8") as said:
        words = [sys.executable, "-c", BOOT, str(hub.folder)]
        process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + 60
        while not moment(hub.fleet):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("moment", MOMENTS)
def test_down_removes_what_a_killed_up_has_left(killed_hub: HostHub, moment: str) -> None:
    before = trail(killed_hub.fleet.folder)
    assert (before["namespaces"], before["folder"]) == ([], False)
    kill_at(killed_hub, MOMENTS[moment])
    assert trail(killed_hub.fleet.folder) != before, "it has left something"
    time.sleep(0.2)  # what it had started by itself comes to its end
    assert killed_hub.fleet.exists(), "or `lab down` would pass it over"
    killed_hub.fleet.down()
    assert trail(killed_hub.fleet.folder) == before


@pytest.mark.parametrize("moment", ["a namespace", "a card", "a list of hosts", "a mount", "a supervisor"])
def test_the_next_up_goes_on_and_its_down_leaves_nothing(killed_hub: HostHub, moment: str) -> None:
    before = trail(killed_hub.fleet.folder)
    kill_at(killed_hub, MOMENTS[moment])
    killed_hub.boot(2)
    machines = killed_hub.fleet.machines()
    assert [machine.answers() for machine in machines.values()] == [True, True]
    for name in machines:
        assert killed_hub.inside(name, "cat /etc/hostname") == name
    killed_hub.fleet.down()
    assert trail(killed_hub.fleet.folder) == before


def test_a_down_that_was_killed_is_finished_by_the_next(killed_hub: HostHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each of its steps in turn, as far as one can tell them apart from outside."""
    before = trail(killed_hub.fleet.folder)
    steps = ["machine.Machine.remove", "mirror.stop_serving", "network.Network.down", "fleet.restore_limits"]
    for step in steps:
        killed_hub.boot(2)
        with monkeypatch.context() as patch:
            patch.setattr(f"govhub.lab.hosts.{step}", _killed)
            with pytest.raises(_Killed):
                killed_hub.fleet.down()
        killed_hub.fleet.down()
        assert trail(killed_hub.fleet.folder) == before, step


def test_what_one_killed_host_left_half_is_made_anew(killed_hub: HostHub) -> None:
    killed_hub.boot(1)
    (name,) = killed_hub.fleet.machines()
    machine = killed_hub.machine(name)
    machine.power_cut()
    (machine.folder / "ssh_host_ed25519_key.pub").write_text("")
    killed_hub.boot(1)
    assert machine.answers()
    killed_hub.fleet.down()


class _Killed(BaseException):
    pass


def _killed(*_: object) -> None:
    raise _Killed
