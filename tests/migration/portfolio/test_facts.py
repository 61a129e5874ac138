"""Facts of sources are what was read; what was not read is unknown, never none and never zero."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from govhub.core.sections import parse
from govhub.migration.portfolio import probe
from govhub.migration.portfolio.found import Connection
from migration.portfolio.sources import KEY, SECTIONS, found, inside, listed, maria, reading, without

PROBE = Path(probe.__file__).with_name("probe.sh")


def test_a_source_is_told_with_its_machine_servers_and_databases() -> None:
    facts = found(reading())
    assert (facts.os, facts.release, facts.installed) == ("Debian GNU/Linux 12 (bookworm)", "debian 12", "2014-05-13")
    assert (facts.cores, facts.memory, facts.host_key) == (8, 16 * 2**30, KEY)
    assert facts.users == ("root", "wang")
    assert facts.jobs == (("root", "30 3 * * *", "/usr/local/bin/backup"),)
    assert facts.listening == ((22, "0.0.0.0", "sshd"), (5432, "0.0.0.0", "postgres"))
    assert [(item.engine, item.version) for item in facts.servers or ()] == [
        ("postgresql", "15.6"),
        ("mariadb", "10.11.6"),
    ]
    assert facts.servers
    assert [server.log_rate for server in facts.servers] == [1e6, 1000]
    # Templates, and the empty database that every server has, are nobody's.
    assert [(item.name, item.size, item.keyless) for item in facts.databases or ()] == [
        ("enrol", 20 * 2**30, 0),
        ("aid", 2**31, 0),
    ]
    assert facts.folders["/srv/scans"].files == 1_500_000
    assert facts.units["enrol.service"].memory == 200 * 2**20
    json.dumps(facts.as_dict())


@pytest.mark.parametrize(
    ("section", "fact"),
    [
        ("connections", "connections"),
        ("listening", "listening"),
        ("listening", "connections"),
        ("services", "services"),
        ("disks", "file_systems"),
        ("cron", "jobs"),
        ("timers", "timers"),
        ("passwd", "users"),
        ("postgresql", "servers"),
        ("postgresql", "databases"),
        ("mariadb", "servers"),
        ("cores", "cores"),
        ("memory", "memory"),
        ("release", "release"),
        ("installed", "installed"),
        ("addresses", "addresses"),
    ],
)
def test_what_could_not_be_read_is_unknown(section: str, fact: str) -> None:
    assert getattr(found(reading()), fact) is not None
    assert getattr(found(without(reading(), section)), fact) is None
    assert getattr(found(reading(**{section: None})), fact) is None


@pytest.mark.parametrize(
    "name", ["postgresql 5432 settings", "postgresql 5432 databases", "mariadb settings", "mariadb databases"]
)
def test_a_server_that_does_not_answer_hides_no_databases(name: str) -> None:
    facts = found(without(reading(), name))
    assert facts.databases is None
    assert facts.servers is not None
    assert len(facts.servers) == (2 if name.endswith("databases") else 1)
    assert facts.unread == (() if name.endswith("databases") else (name.split(maxsplit=1)[0],))


def test_a_database_that_nobody_may_look_into_has_unknown_tables() -> None:
    facts = found(without(reading(), "postgresql 5432 database enrol", "mariadb keyless", "mariadb engines"))
    first, second = facts.databases or ()
    assert (first.size, first.tables, first.keyless, first.extensions) == (20 * 2**30, None, None, None)
    assert (second.tables, second.keyless, second.storage) == (6, None, None)
    assert found(reading(**inside(extensions=None))).databases[0].extensions == {}  # type: ignore[index]


def test_half_a_json_line_is_no_answer() -> None:
    assert found(reading(postgresql__5432__databases='{"name": "enrol", "si')).databases is None


def test_a_list_that_was_cut_counts_nothing() -> None:
    facts = found(reading(mariadb__keyless="\n".join(f"aid\tt{n}" for n in range(2000))))
    database = (facts.databases or ())[1]
    assert (database.keyless, database.truncated) == (None, True)
    many = "\n".join(f"0 0 172.16.4.11:5432 172.16.9.{n % 250}:{n + 1000}" for n in range(2000))
    assert found(reading(connections=many)).connections is None


def test_who_talks_is_told_by_who_called_whom() -> None:
    lines = [
        '0 0 172.16.4.11:5432 172.16.4.12:41000 users:(("postgres",pid=9,fd=4))',
        '0 0 172.16.4.11:5432 172.16.4.12:41002 users:(("postgres",pid=8,fd=4))',
        '0 0 172.16.4.11:50000 172.16.7.7:1521 users:(("java",pid=7,fd=4))',
        "0 0 [::ffff:172.16.4.11]:5432 [::ffff:172.16.4.13]:41000",
        "0 0 127.0.0.1:50000 127.0.0.1:5432",
        "0 0 172.16.4.11:22 172.16.0.9:40000",
        "garbage",
    ]
    assert found(reading(connections="\n".join(lines))).connections == (
        Connection(address="172.16.4.12", port=5432, incoming=True, process="postgres", count=2),
        Connection(address="172.16.4.13", port=5432, incoming=True),
        Connection(address="172.16.7.7", port=1521, incoming=False, process="java"),
    )


def test_mysql_is_told_from_mariadb_and_names_may_hold_anything() -> None:
    facts = found(reading(**maria(version="8.0.36", version_comment="MySQL Community Server"), **listed(name="a b")))
    assert [item.engine for item in facts.servers or ()] == ["postgresql", "mysql"]
    odd = found(reading(mariadb__databases="a\\tb\tlatin1\tlatin1_swedish_ci\t1\t10")).databases or ()
    assert odd[1].name == "a\tb"


def test_the_script_says_what_it_cannot_read_and_comes_to_its_end(tmp_path: Path) -> None:
    """On this very machine, without the rights and tools that it would like to have."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "one").write_bytes(b"12345")
    tools = tmp_path / "bin"
    tools.mkdir()
    script = PROBE.read_text().replace("PATH=/usr/local/sbin", f"PATH={tools}:/usr/local/sbin")
    for name in ("ss", "systemctl", "psql", "mariadb", "mysql"):
        (tools / name).write_text("#!/bin/sh\nexit 127\n")
        (tools / name).chmod(0o755)
    words = ["/bin/sh", "-s", "--", "@m", f"{folder}\n/not/there", "some.service"]
    done = subprocess.run([*words, "60"], input=script, capture_output=True, text=True, timeout=120, check=True)
    sections = parse(done.stdout, "@m")
    assert sections is not None
    late = subprocess.run([*words, "0"], input=script, capture_output=True, text=True, timeout=120, check=True)
    unread = parse(late.stdout, "@m")
    assert unread, "it is whole all the same"
    assert {item.exit for item in unread.values()} == {124}
    read = {name for name, item in sections.items() if item.exit == 0}
    assert {"hostname", "release", "cores", "memory", "passwd", "folders"} <= read
    assert not {"listening", "connections", "services", "unit some.service", "mariadb settings"} & read
    rows = dict(line.split("\t", 1) for line in sections["folders"].lines)
    assert rows["/not/there"] == "-\t-"
    assert rows[str(folder)].endswith("\t1")
    assert done.stderr == ""


def test_the_command_quotes_what_people_declared() -> None:
    line, script = probe.command("@m", ["/srv/a b", "/srv/$(x)"], ["x.service"])
    assert line == "/bin/sh -s -- @m '/srv/$(x)\n/srv/a b' x.service 108"
    assert script == PROBE.read_text()
    assert set(SECTIONS) > {"hostname"}
