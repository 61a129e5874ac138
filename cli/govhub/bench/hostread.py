"""Benchmarks of reading hosts, and of the base role against the same operations in pyinfra and in plain Ansible."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from govhub.bench.hosts import lab_hosts, run_up
from govhub.bench.results import Result, timed
from govhub.core.files import private_folder
from govhub.core.settings import content
from govhub.hosts.content import FINISHED, role_defaults, tasks_packages
from govhub.hosts.fanout import Errand, as_root, fan_out
from govhub.hosts.reach import reaches
from govhub.hosts.runner import Play, PlayRequest
from govhub.hosts.variables import Declared
from govhub.lab.hosts.cached import made_once, place
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.shell import run
from govhub.ops.hostread import SweepRequest, hosts_facts, selected
from govhub.ops.load import valid_hub

PEOPLE = {
    "lin": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGQvcPMFiVmbjJ2wkp1mZcWcWlLBl1hpr8uFQ2yHkPp lin@office",
    "wu": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGQvcPMFiVmbjJ2wkp1mZcWcWlLBl1hpr8uFQ2yHkPq wu@office",
}
_TEXTS = ("/etc/timezone", "/etc/systemd/journald.conf", "/etc/sysctl.d/50-govhub.conf")
_PLAY = """---
- hosts: all
  become: true
  gather_facts: false
  roles: [base]
- hosts: all
  gather_facts: false
  tasks:
    - name: {finished}
      ansible.builtin.debug: {{var: ansible_play_hosts}}
      run_once: true
"""


def facts(sizes: tuple[int, ...], runs: int) -> list[Result]:
    """One sweep over hosts that are as declared."""
    out = []
    for size in sizes:
        result = Result(name=f"hosts-facts-{size}", unit="s", limit=10.0 if size == 20 else None)
        with lab_hosts(size, size) as hub:
            run_up(hub)
            for _ in range(runs):
                result.ours.append(timed(lambda hub=hub, size=size: _sweep(hub, size)))  # type: ignore[misc]
        out.append(result)
    return out


def base(size: int, runs: int) -> list[Result]:
    """The base role on hosts where nothing is to do."""
    against_pyinfra = Result(name=f"hosts-base-{size}", unit="s", limit=2.0, note="stock: pyinfra, equal operations")
    against_plain = Result(name=f"hosts-base-plain-{size}", unit="s", limit=0.35, note="stock: ansible-playbook")
    with lab_hosts(size, size) as folder:
        _with_people(folder)
        run_up(folder)
        hub, _ = valid_hub(str(folder))
        hosts = tuple(selected(hub, ()).declared.values())
        with _base_play(folder.parent) as play:
            for _ in range(runs):
                seconds = timed(lambda: _ours(hosts, folder.parent))
                against_pyinfra.ours.append(seconds)
                against_plain.ours.append(seconds)
                against_pyinfra.stock.append(timed(lambda: _pyinfra(folder, hosts)))
                against_plain.stock.append(timed(lambda: _plain(folder, play)))
    return [against_pyinfra, against_plain]


def lynis(runs: int) -> list[Result]:
    """The hardening index of lynis on one host, bare and as declared; lynis is only here, no role installs it."""
    result = Result(name="hosts-lynis", unit="of 100", note="stock: bare Debian")
    tree = _lynis()
    for _ in range(runs):
        with lab_hosts(1, 12) as folder:
            _with_people(folder)
            (machine,) = Fleet(folder.name).machines().values()
            for part in ("usr", "etc"):
                shutil.copytree(tree / part, machine.root / "opt" / "lynis" / part, symlinks=True)
            result.stock.append(_index(folder, machine.name))
            run_up(folder)
            result.ours.append(_index(folder, machine.name))
    return [result]


def _lynis() -> Path:
    """Debian's package, unpacked once into the cache."""

    def make(folder: Path) -> None:
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "lynis", cwd=folder)
        (package,) = folder.glob("lynis_*.deb")
        run("dpkg-deb", "-x", package, folder)

    target = place("lynis")
    made_once(target, make)
    return target


def _index(folder: Path, name: str) -> float:
    hub, _ = valid_hub(str(folder))
    # It wants its files where the package has them.
    script = (
        "cp -a /opt/lynis/usr/. /usr/; cp -a /opt/lynis/etc/. /etc/; lynis audit system --quick --no-colors --no-log"
        " | sed -n 's/.*Hardening index : *\\([0-9]*\\).*/\\1/p'"
    )
    errand = Errand(command=as_root(shlex.join(["/bin/sh", "-c", script])), timeout=300.0)
    (answer,) = fan_out({name: reaches(hub).hosts[name]}, errand)
    words = answer.output.split()
    if not words or not words[-1].isdigit():
        raise RuntimeError(f"lynis says no index: {answer.status} {answer.why} {answer.output[-300:]}")
    return float(words[-1])


def _sweep(folder: Path, size: int) -> None:
    document = hosts_facts(SweepRequest(hub=str(folder)))
    if len(document["hosts"]) != size or document["problems"]:
        raise RuntimeError(f"not all hosts were read: {document['problems'][:1]}")


def _with_people(folder: Path) -> None:
    lines = "".join(f"    - {{name: {name}, key: {key}}}\n" for name, key in PEOPLE.items())
    with (folder / "hub.yaml").open("a", encoding="utf-8") as out:
        out.write(f"baseline:\n  administrators:\n{lines}")


@contextmanager
def _base_play(scratch: Path) -> Iterator[Path]:
    """A playbook of the base role alone, for ours and for plain Ansible."""
    play = scratch / "base.yml"
    play.write_text(_PLAY.format(finished=FINISHED), encoding="utf-8")
    with patch("govhub.hosts.runner.playbook", lambda *_: play):
        yield play


def _ours(hosts: tuple[Declared, ...], scratch: Path) -> None:
    play = Play(PlayRequest(hosts=hosts, folder=private_folder(scratch / "ansible")))
    wrong = [item for item in play.run().values() if item.status != "done" or item.changed]
    if wrong:
        raise RuntimeError(f"not a no-op: {wrong[0]} {play.message}")


def _plain(folder: Path, play: Path) -> None:
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(folder.parent / "ansible.cfg"),
        "ANSIBLE_INVENTORY_PLUGINS": str(content("playbooks", "plugins", "inventory")),
        "ANSIBLE_INVENTORY_ENABLED": "govhub",
        "ANSIBLE_ROLES_PATH": str(content("playbooks", "roles")),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    }
    (folder.parent / "ansible.cfg").touch()
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(folder), str(play)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    if re.search(r"changed=[1-9]", done.stdout):
        raise RuntimeError("not a no-op in plain Ansible")


def _pyinfra(folder: Path, hosts: tuple[Declared, ...]) -> None:
    """As an operator would type it; whatever it would still change is an error of the comparison."""
    inventory = folder.parent / "pyinfra_inventory.py"
    inventory.write_text(f"hosts = {[_host(folder, host) for host in hosts]!r}\n", encoding="utf-8")
    script = Path(__file__).with_name("pyinfra_base.py")
    command = [sys.executable, "-m", "pyinfra", "-y", str(inventory), str(script)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder.parent)
    rows = [line for line in (done.stdout + done.stderr).splitlines() if "Grand total" in line]
    counts = [word for word in rows[0].split() if word.isdigit() or word == "-"] if rows else []
    if done.returncode or not counts or counts[1:] != ["-"] * (len(counts) - 2) + [counts[-1]]:
        raise RuntimeError(f"not a no-op in pyinfra: {rows} {done.stderr[-600:]}")


def _host(folder: Path, host: Declared) -> tuple[str, dict[str, object]]:
    # The files as Ansible has left them: seen from here, through the host's own tree.
    root = Fleet(folder.name).machines()[host.name].root
    known = host.connection["ansible_ssh_common_args"].split("UserKnownHostsFile=")[1].split()[0]
    return host.name, {
        "ssh_hostname": host.connection["ansible_host"],
        "ssh_user": host.connection["ansible_user"],
        "ssh_key": host.connection["ansible_ssh_private_key_file"],
        "ssh_known_hosts_file": known,
        "ssh_strict_host_key_checking": "yes",
        "packages": tasks_packages("base"),
        "texts": {path: (root / path[1:]).read_text(encoding="utf-8") for path in _TEXTS},
        "zone": f"/usr/share/zoneinfo/{host.variables['base_timezone']}",
        "people": PEOPLE,
        "sudoers": (root / "etc/sudoers.d/50-govhub").read_text(encoding="utf-8"),
        "former": list(role_defaults("base")["base_former_administrators"]),
    }
