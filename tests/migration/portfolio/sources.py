"""Readings of sources made by hand: what old servers could answer, without servers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from govhub.core.sections import Reading, Section, parse
from govhub.core.settings import hub_home
from govhub.hosts.reading.facts import machine_facts
from govhub.inventory.loader import Hub, load
from govhub.migration.portfolio.facts import facts_of
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.subject import Portfolio

HUBS = Path(__file__).parents[2] / "hubs"
MARK = "@mark"
TIME = "2026-03-02T08:00:00+00:00"
KEY = "SHA256:BEx+F61HicFgE8OPqBwTBMahFVYfKsDcVJHPPPgwP10"
SETTINGS = {
    "server_version": "15.6 (Debian)",
    "server_version_num": "150006",
    "wal_level": "logical",
    "max_replication_slots": "10",
    "max_wal_senders": "10",
    "data_directory": "/var/lib/postgresql/15/main",
}
DATABASE = {"name": "enrol", "size": 20 * 2**30, "encoding": "UTF8", "collation": "C.UTF-8", "template": False}
INSIDE: dict[str, Any] = {
    "tables": 7,
    "keyless": 0,
    "keyless_names": None,
    "unlogged": 0,
    "sequences": 6,
    "foreign": 0,
    "extensions": {"pg_trgm": "1.6"},
    "large_objects": 0,
    "large_bytes": 8192,
}
MARIADB = {
    "version": "10.11.6-MariaDB",
    "version_comment": "Debian 12",
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "datadir": "/var/lib/mysql/",
    "port": "3306",
}
SECTIONS: dict[str, str] = {
    "hostname": "old-edu-1",
    "release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"',
    "kernel": "Linux 6.1.0-28-amd64 x86_64",
    "cpu": "processor\t: 0\nmodel name\t: Some CPU",
    "cores": "8",
    "memory": "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB",
    "disks": (
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 104857600 52428800 52428800 50% /\n"
        "/dev/sdb1 1048576000 524288000 524288000 50% /var/lib/postgresql"
    ),
    "blocks": 'NAME="sda" TYPE="disk" SIZE="107374182400" ROTA="1" MODEL=""',
    "virtual": "none",
    "installed": "1400000000",
    "hostkeys": f"256 {KEY} old-edu-1 (ED25519)",
    "addresses": "2: eth0    inet 172.16.4.11/24 brd 172.16.4.255 scope global eth0",
    "passwd": "root:x:0:0::/root:/bin/bash\nbackup:x:34:34::/var/backups:/usr/sbin/nologin\nwang:x:9:9::/h:/bin/sh",
    "services": "ssh.service loaded active running SSH\nenrol.service loaded active running Enrolment",
    "listening": (
        'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=36,fd=3))\n'
        'tcp LISTEN 0 244 0.0.0.0:5432 0.0.0.0:* users:(("postgres",pid=39,fd=5))\n'
        'tcp LISTEN 0 80 127.0.0.1:3306 0.0.0.0:* users:(("mariadbd",pid=40,fd=5))'
    ),
    "unit enrol.service": "LoadState=loaded\nActiveState=active\nMemoryCurrent=209715200",
    "timers": "- - - - apt-daily.timer apt-daily.service",
    "cron": "root\t30 3 * * *\t/usr/local/bin/backup",
    "folders": "/srv/scans\t322122547200\t1500000",
    "postgresql": "running\n5432",
    "postgresql 5432 settings": json.dumps(SETTINGS),
    "postgresql 5432 databases": "\n".join(
        json.dumps(item)
        for item in (
            DATABASE,
            DATABASE | {"name": "template1", "size": 7789927, "template": True},
            DATABASE | {"name": "postgres", "size": 7789927},
        )
    ),
    "postgresql 5432 roles": '{"name": "app"}\n{"name": "postgres"}',
    "postgresql 5432 slots": "",
    "postgresql 5432 sessions": '{"database": "enrol", "user": "app", "address": null, "application": "", "count": 2}',
    "postgresql 5432 wal": '{"position": 1000000, "time": 100.0}',
    "postgresql 5432 later": '{"position": 5000000, "time": 104.0}',
    "postgresql 5432 database postgres": json.dumps(INSIDE | {"tables": 0, "extensions": None}),
    "postgresql 5432 database enrol": json.dumps(INSIDE),
    "mariadb": "running",
    "mariadb settings": "\n".join(f"{key}\t{value}" for key, value in MARIADB.items()),
    "mariadb log": "Innodb_os_log_written\t1000\ntime\t100.5",
    "mariadb later": "Innodb_os_log_written\t5000\ntime\t104.5",
    "mariadb databases": "aid\tutf8mb4\tutf8mb4_general_ci\t6\t2147483648",
    "mariadb engines": "aid\tInnoDB\t6",
    "mariadb charsets": "aid\tutf8mb4_general_ci\t6",
    "mariadb keyless": "",
    "mariadb sessions": "aid\tapp\tlocalhost\t2",
    "mariadb users": "app\t%\nroot\tlocalhost",
    "connections": 'ESTAB 0 0 172.16.4.11:22 172.16.0.9:40000 users:(("sshd",pid=1,fd=4))',
}
# `ss` with a state filter prints no state.
SECTIONS["connections"] = SECTIONS["connections"].removeprefix("ESTAB ")

MIGRATIONS = """
sources:
  - {name: old-edu-1, tenant: education, address: 172.16.4.11}
  - {name: old-aid-1, tenant: civil-affairs, address: 172.16.4.12}
migration: {link_mbps: 1000, write_pause_seconds: 120}
databases:
  - {name: pg-main, engine: postgresql, hosts: [db1], tenants: [{tenant: education, database: enrol}]}
  - {name: my-main, engine: mariadb, hosts: [db1], tenants: [{tenant: education, database: aid}]}
migrations:
  - system: school-enrolment
    moves:
      - {name: db, kind: postgresql, source: old-edu-1, database: enrol, size: 20Gi, to: pg-main}
      - {name: my, kind: mariadb, source: old-edu-1, database: aid, size: 2Gi, to: my-main}
      - {name: app, kind: application, source: old-edu-1, unit: enrol.service, to: web}
"""
HOSTS = """
  - {names: db1, racks: "site-a/h1/r02/03", role: database, arch: amd64, cores: 16, memory: 64Gi, storage: 2Ti}
"""


def reading(**more: str | None) -> Reading:
    """A reading with other sections than the usual ones; None is one that could not be read.

    Names of sections are written with ``__`` for the spaces.
    """
    changed = {key.replace("__", " "): value for key, value in more.items()}
    parts = []
    for key, text in (SECTIONS | changed).items():
        if text is not None:
            parts += [f"{MARK} begin {key}", *text.splitlines(), "", f"{MARK} end {key} 0"]
    sections = parse("\n".join([*parts, f"{MARK} complete"]), MARK)
    assert sections is not None
    missing = {key: Section(127, ()) for key, text in changed.items() if text is None}
    return Reading(host="old-edu-1", time=TIME, sections={**sections, **missing})


def found(made: Reading) -> SourceFacts:
    """The facts of a reading."""
    return facts_of(made, machine_facts(made), KEY)


def inside(**more: Any) -> dict[str, str | None]:
    """The section of the database `enrol`, for :func:`reading`."""
    return {"postgresql__5432__database__enrol": json.dumps(INSIDE | more)}


def settings(**more: Any) -> dict[str, str | None]:
    """The settings of PostgreSQL."""
    return {"postgresql__5432__settings": json.dumps(SETTINGS | more)}


def listed(**more: Any) -> dict[str, str | None]:
    """The databases of PostgreSQL."""
    return {"postgresql__5432__databases": json.dumps(DATABASE | more)}


def maria(**more: Any) -> dict[str, str | None]:
    """The settings of MariaDB."""
    return {"mariadb__settings": "\n".join(f"{key}\t{value}" for key, value in (MARIADB | more).items())}


def moving_hub(place: Path, text: str = MIGRATIONS, *changes: tuple[str, str]) -> Path:
    """A copy of a small hub with sources, a target and migrations; each change is a piece of text and its successor."""
    folder = place / "mini"
    shutil.copytree(HUBS / "mini", folder)
    with (folder / "clusters.yaml").open("a", encoding="utf-8") as out:
        out.write(HOSTS)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "migrations.yaml").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path) -> Hub:
    """The hub."""
    result = load(folder)
    assert result.hub is not None, list(result.problems)
    return result.hub


def portfolio(hub: Hub, *readings: Reading) -> Portfolio:
    """The hub with these sources read."""
    return Portfolio(hub, {item.host: found(item) for item in readings})


def save(hub: str, made: Reading, key: str | None = KEY) -> Path:
    """As a sweep keeps it."""
    path = hub_home(hub) / "sources" / f"{made.host}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document: Mapping[str, Any] = {"schema": "govhub.source-reading/1", "host_key": key, "reading": made.as_dict()}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def without(made: Reading, *names: str) -> Reading:
    """The same with sections that are missing altogether."""
    return replace(made, sections={key: item for key, item in made.sections.items() if key not in names})
