"""``./hub test`` installs servers that its tests start: the machine itself must not begin to run them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

HUB = Path(__file__).parents[2] / "hub"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine whose apt-get and systemctl write down what they are told."""
    programs = tmp_path / "bin"
    programs.mkdir()
    note = f'echo "$(basename "$0") $*" >>{tmp_path}/log\n'
    policy = f'[ -x {tmp_path}/policy-rc.d ] && {tmp_path}/policy-rc.d; echo "policy $?" >>{tmp_path}/log\n'
    for name, body in (("apt-get", f"{note}{policy}[ ! -e {tmp_path}/broken ]"), ("systemctl", note)):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    return tmp_path


def install(machine: Path, *packages: str) -> tuple[int, list[str]]:
    found = re.search(r"^without_services\(\) \{\n.*?^\}\n", HUB.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    function = found[0].replace("/usr/sbin/policy-rc.d", f"{machine}/policy-rc.d")
    script = f"set -eu\nPATH={machine}/bin:$PATH\n{function}\nwithout_services {' '.join(packages)}\n"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    return done.returncode, (machine / "log").read_text().splitlines()


def test_services_are_neither_started_nor_left_enabled(machine: Path) -> None:
    code, log = install(machine, "prometheus", "rsync", "prometheus-alertmanager")

    assert code == 0
    assert log[-2:] == [
        "systemctl --quiet disable prometheus.service",
        "systemctl --quiet disable prometheus-alertmanager.service",
    ]
    # 101 is how invoke-rc.d is told not to start anything.
    assert log[:4] == [
        "apt-get -qq update",
        "policy 101",
        "apt-get -qq install --no-install-recommends prometheus rsync prometheus-alertmanager",
        "policy 101",
    ]
    assert not (machine / "policy-rc.d").exists()


def test_a_policy_of_the_machine_stays(machine: Path) -> None:
    (machine / "policy-rc.d").write_text("#!/bin/sh\nexit 42\n")
    (machine / "policy-rc.d").chmod(0o755)
    _, log = install(machine, "prometheus")

    assert "policy 42" in log
    assert (machine / "policy-rc.d").read_text() == "#!/bin/sh\nexit 42\n"


def test_a_failed_installation_leaves_nothing_and_disables_nothing(machine: Path) -> None:
    (machine / "broken").touch()
    code, log = install(machine, "prometheus")

    assert code != 0
    assert not any(line.startswith("systemctl") for line in log)
    assert not (machine / "policy-rc.d").exists()
