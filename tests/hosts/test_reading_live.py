"""Real hosts read and checked: facts are true, each deviation is found on its host, and who cannot be read is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govhub.core.events import first_broken_link, read_events
from govhub.core.secrets import REDACTOR, Secret
from govhub.core.settings import connections_file, hub_home
from govhub.hosts.audit.judge import judge, subject_of
from govhub.hosts.audit.model import Result
from govhub.ops.evidence import export, verify
from govhub.ops.hostaudit import hosts_audit
from govhub.ops.hostread import FOLDER, SweepRequest, hosts_facts, sweep
from govhub.ops.hostrun import RunCommand, run_command
from govhub.ops.requests import Selection
from hosts.conftest import HostHub, failed_checks

DECLARED, EDITED, BARE = "node5", "node6", "node1"
BOTH = (DECLARED, EDITED)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGQvcPMFiVmbjJ2wkp1mZcWcWlLBl1hpr8uFQ2yHkPp"
# What is done to a host behind our back, and which check has to find it, in which words.
DEVIATIONS = {
    "systemd-run -q --unit=stray python3 -m http.server 8099": ("ports", "python3 listens on 8099/tcp"),
    "echo 'games ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/99-games": ("sudoers", "games may use sudo"),
    "echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-first.conf": ("ssh-keys-only", "passwordauth"),
    "sed -i 's/^server .*/server 10.77.0.99 iburst/' /etc/chrony/chrony.conf; systemctl restart chrony": (
        "time-servers",
        "takes its time from 10.77.0.99, which is not declared",
    ),
    "nft flush ruleset": ("firewall", "there is no firewall"),
    "useradd -m -s /bin/bash stranger": ("surplus-accounts", "stranger is not declared and can log in"),
    "passwd -d games": ("empty-passwords", "games has an empty password"),
    f"printf '{KEY} twice\\nssh-ed25519 BBBB x\\n' >>/home/lin/.ssh/authorized_keys": (
        "administrators",
        "lin has 1 keys that are not declared",
    ),
    "echo 'deb [trusted=yes] http://elsewhere/ x main' >/etc/apt/sources.list.d/x.list": (
        "package-sources",
        "packages come from http://elsewhere",
    ),
    "sysctl -q net.ipv4.tcp_syncookies=0": ("kernel-settings", "net.ipv4.tcp_syncookies is 0, not 1"),
    "printf 'MaxRetentionSec=1day\\n' >>/etc/systemd/journald.conf": ("journal", "logs are kept for 1 days, not 183"),
    "systemctl stop prometheus-node-exporter": ("services", "prometheus-node-exporter.service is inactive"),
    "sed -i /faillock/d /etc/pam.d/common-auth": ("login-failures", "pam_faillock.so preauth is not in pam_auth"),
    "chmod 644 /etc/shadow": ("file-modes", "/etc/shadow has the mode 644"),
    "rm /etc/profile.d/50-govhub.sh": ("session-timeout", "profile lacks: TMOUT=900"),
    "mkdir -p /etc/ssl/govhub; openssl req -x509 -newkey ed25519 -nodes -days 3 -subj /CN=old -keyout /dev/null "
    "-out /etc/ssl/govhub/old.crt": ("certificates", "/etc/ssl/govhub/old.crt expires on"),
}


@pytest.fixture(scope="module")
def hosts(hub: HostHub) -> HostHub:
    """Two hosts as declared, and a bare one."""
    with (hub.folder / "hub.yaml").open("a", encoding="utf-8") as out:
        out.write(f"baseline: {{administrators: [{{name: lin, key: {KEY} lin@mini}}]}}\n")
    result = hub.up(selection=Selection(layers=("hosts",), hosts=BOTH))
    assert result.status == "done", result.problems
    return hub


def request(hub: HostHub, *limit: str, **more: Any) -> SweepRequest:
    return SweepRequest(hub=str(hub.folder), limit=limit, **more)


def test_facts_are_what_the_hosts_are(hosts: HostHub) -> None:
    document = hosts_facts(request(hosts))
    assert document["problems"] == []
    found = {item["host"]: item for item in document["hosts"]}
    assert set(found) == {DECLARED, EDITED, BARE}
    for name, facts in found.items():
        assert facts["system"]["name"] == name
        assert facts["system"]["os"] == "Debian GNU/Linux 12 (bookworm)"
        assert str(facts["hardware"]["cores"]) == hosts.inside(name, "nproc")
        assert facts["system"]["kernel"] == hosts.inside(name, "uname -r")
        assert facts["packages"]["installed"] == int(hosts.inside(name, "dpkg -l | grep -c ^ii"))
        assert {"protocol": "tcp", "address": "0.0.0.0", "port": 22, "process": "sshd"} in facts["listening"]
        # The clock of a lab host is this machine's.
        assert abs(facts["clock"]["offset_here"]) <= facts["clock"]["uncertainty"] + 0.05
    assert found[DECLARED]["packages"]["upgrades"] == []
    assert found[BARE]["packages"]["upgrades"] is None, "without a source of packages nobody knows"
    ports = {name: {item["port"] for item in facts["listening"]} for name, facts in found.items()}
    assert (9100 in ports[DECLARED], 9100 in ports[BARE]) == (True, False)


def test_what_was_read_is_kept_privately_and_told_with_its_age(hosts: HostHub) -> None:
    logins = hosts.logins()
    document = hosts_facts(request(hosts, saved=True))
    assert hosts.logins() == logins, "nobody is contacted"
    assert {item["host"] for item in document["hosts"]} == {DECLARED, EDITED, BARE}
    assert all(0 <= item["age"] < 600 for item in document["hosts"])
    folder = hub_home("mini") / FOLDER
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
    # Nothing of a password, and of keys only what is public.
    text = (folder / f"{DECLARED}.json").read_text()
    assert "$y$" not in text
    assert "PRIVATE KEY" not in text


def test_a_declared_host_passes_and_a_bare_one_fails(hosts: HostHub) -> None:
    document = hosts_audit(request(hosts))
    for name in BOTH:
        assert set(failed_checks(document, name)) == {"unverified kernel-audit"}, "a container has none of its own"
    bare = failed_checks(document, BARE)
    for check in (
        "firewall",
        "ssh-keys-only",
        "administrators",
        "time-servers",
        "journal",
        "login-failures",
        "sudo-log",
    ):
        assert f"failed {check}" in bare
    assert document["summary"]["failed"] == sum(key.startswith("failed") for key in bare)


def test_whatever_cannot_be_read_of_a_good_host_never_passes_for_that(hosts: HostHub) -> None:
    """Each section in turn is lost, and then is nonsense: nothing that had not passed passes then, and no crash."""
    found = sweep(request(hosts, DECLARED, saved=True))
    whole, declared = found.readings[DECLARED], found.side.declared[DECLARED]
    now = datetime.now(UTC)
    good = {item.check: item.result for item in judge(subject_of(declared, whole, now))}
    changed: set[str] = set()
    for name, section in whole.sections.items():
        others = {key: item for key, item in whole.sections.items() if key != name}
        for broken in (others, {**others, name: replace(section, lines=("\ufffd %: nonsense",))}):
            verdicts = judge(subject_of(declared, replace(whole, sections=broken), now))
            worse = {item.check: item for item in verdicts if item.result is not good[item.check]}
            assert all(item.result is not Result.PASSED for item in worse.values()), (name, worse)
            changed |= set(worse)
    # Whether this is a container decides over the kernel's audit, which has not passed in the first place.
    passed = {check for check, result in good.items() if result is Result.PASSED}
    assert changed - {"kernel-audit"} == passed, "each check reads something"


def test_each_deviation_is_found_on_its_host_and_on_no_other(hosts: HostHub) -> None:
    for script in DEVIATIONS:
        hosts.inside(EDITED, script)
    document = hosts_audit(request(hosts, *BOTH))
    assert set(failed_checks(document, DECLARED)) == {"unverified kernel-audit"}
    found = failed_checks(document, EDITED)
    for script, (check, text) in DEVIATIONS.items():
        said = found.get(f"failed {check}", [])
        assert any(text in item for item in said), f"{script}: {check}: {said}"
    by_check = {item["check"]: item for item in document["findings"] if item["result"] == "failed"}
    assert all(set(item["hosts"]) == {EDITED} for item in by_check.values())
    assert by_check["firewall"]["set_by"].startswith("firewall: ")


def test_the_evidence_of_that_holds_and_shows_when_it_is_altered(hosts: HostHub, tmp_path: Path) -> None:
    written = export(str(hosts.folder), tmp_path / "evidence.ndjson")
    assert verify(tmp_path / "evidence.ndjson", str(hosts.folder))["intact"] or not written["sealed"]
    lines = (tmp_path / "evidence.ndjson").read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"check":"firewall"' in line and f'"host":"{EDITED}"' in line)
    lines[at] = lines[at].replace('"result":"failed"', '"result":"passed"')
    (tmp_path / "evidence.ndjson").write_text("".join(lines))
    assert verify(tmp_path / "evidence.ndjson")["first_broken"] == at


def ask(hub: HostHub, *words: str, limit: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    return run_command(RunCommand(hub=str(hub.folder), words=words, limit=limit, **more))


def test_a_command_is_dry_and_contacts_nobody_unless_it_is_meant(hosts: HostHub) -> None:
    logins = hosts.logins()
    document = ask(hosts, "touch", "/tmp/done")
    assert (document["dry_run"], document["results"], len(document["hosts"])) == (True, [], 3)
    assert hosts.logins() == logins
    document = ask(hosts, "touch", "/tmp/done", limit=(BARE,), go=True)
    assert document["summary"] == {"done": 1, "failed": 0, "not_answered": 0}
    assert hosts.inside(BARE, "stat -c %U /tmp/done") == "govhub"
    assert hosts.inside(DECLARED, "ls /tmp/done 2>/dev/null || echo none") == "none"


def test_answers_are_told_by_host_grouped_and_scrubbed_and_kept_as_a_chain(hosts: HostHub) -> None:
    REDACTOR.add(Secret("correct-horse-battery"))
    line = 'echo correct-horse-battery; id -un; [ "$(hostname)" = node6 ] && exit 3; true'
    document = ask(hosts, line, go=True, sudo=True)
    assert {item["host"]: item["exit"] for item in document["results"]} == {DECLARED: 0, EDITED: 3, BARE: 0}
    assert [(group["hosts"], group["exit"]) for group in document["groups"]] == [([BARE, DECLARED], 0), ([EDITED], 3)]
    assert document["groups"][0]["output"] == "[secret]\nroot\n"
    folder = Path(document["folder"])
    assert first_broken_link(folder / "events.ndjson") is None
    events = list(read_events(folder / "events.ndjson"))
    assert [item["kind"] for item in events].count("command-answered") == 3
    assert events[-1]["data"]["status"] == "failed"
    for path in folder.iterdir():
        assert "correct-horse" not in path.read_text()


def test_a_command_that_takes_too_long_is_ended_on_the_host(hosts: HostHub) -> None:
    document = ask(hosts, "sleep 4321", limit=(BARE,), go=True, sudo=True, timeout=1.0)
    assert [item["status"] for item in document["results"]] == ["too long"]
    assert hosts.inside(BARE, "pgrep -f 'sleep 432[1]' || echo none") == "none"


def test_much_output_is_bounded_where_it_arises(hosts: HostHub) -> None:
    document = ask(hosts, "yes line | head -c 3000000", limit=(BARE,), go=True)
    (item,) = document["results"]
    assert (item["exit"], item["cut"], len(item["output"]) <= 64 * 1024) == (0, True, True)


def test_after_too_many_failures_no_more_hosts_are_begun(hosts: HostHub) -> None:
    document = ask(hosts, "false", go=True, max_fail=0, parallel=1)
    assert sorted(item["status"] for item in document["results"]) == ["failed", "not tried", "not tried"]
    assert [item["code"] for item in document["problems"]] == ["HST012", "HST012"]


def test_hosts_that_cannot_be_read_are_told_one_by_one_and_stop_nobody(hosts: HostHub) -> None:
    """Another host key, sudo refused, no power: the order matters, the last one does not come back."""
    path = Path(json.loads(connections_file("mini").read_text())["hosts"][DECLARED]["known_hosts"])
    original = path.read_text()
    address, stranger = hosts.machine(DECLARED).address, hosts.machine(EDITED).host_key
    lines = [line for line in original.splitlines() if not line.startswith(f"{address} ")]
    hosts.inside(BARE, "mv /etc/sudoers.d/govhub /root/away")
    try:
        path.write_text("\n".join([*lines, f"{address} {stranger}"]) + "\n")
        found = sweep(request(hosts, timeout=20))
        unknown = "\n".join(lines) + "\n"
        path.write_text(unknown)
        missing = sweep(request(hosts, DECLARED, timeout=20))
        assert path.read_text() == unknown, "a key that is not known is never taken over"
    finally:
        path.write_text(original)
        hosts.inside(BARE, "mv /root/away /etc/sudoers.d/govhub")
    said = {item.address: item for item in found.problems}
    assert set(found.readings) == {EDITED}
    assert said[f"hosts/{DECLARED}"].code == "HST011"
    assert "ost key" in said[f"hosts/{DECLARED}"].summary
    assert "before you know why" in said[f"hosts/{DECLARED}"].hint
    assert said[f"hosts/{BARE}"].code == "HST033"
    assert [item.code for item in missing.problems] == ["HST011"]
    hosts.inside(BARE, "systemctl kill --kill-whom=main -s STOP ssh")
    hosts.machine(EDITED).power_cut()
    document = hosts_audit(request(hosts, timeout=4))
    codes = {item["address"]: item["code"] for item in document["problems"]}
    assert codes == {f"hosts/{BARE}": "HST032", f"hosts/{EDITED}": codes[f"hosts/{EDITED}"]}
    assert codes[f"hosts/{EDITED}"] in ("HST011", "HST032")
    assert {item["result"] for item in document["hosts"][EDITED]["results"]} == {"unverified"}
    assert set(failed_checks(document, DECLARED)) == {"unverified kernel-audit"}, "the others go on"
