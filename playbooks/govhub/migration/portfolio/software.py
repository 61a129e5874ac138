"""What is known of software: its end of support, the extensions of targets, and engines that nobody takes over."""

from __future__ import annotations

from datetime import date

SUPPORTED_UNTIL = {
    "centos 6": date(2020, 11, 30),
    "centos 7": date(2024, 6, 30),
    "centos 8": date(2021, 12, 31),
    "debian 9": date(2022, 6, 30),
    "debian 10": date(2024, 6, 30),
    "debian 11": date(2026, 8, 31),
    "debian 12": date(2028, 6, 30),
    "debian 13": date(2030, 6, 30),
    "ubuntu 14.04": date(2019, 4, 30),
    "ubuntu 16.04": date(2021, 4, 30),
    "ubuntu 18.04": date(2023, 5, 31),
    "ubuntu 20.04": date(2025, 5, 31),
    "ubuntu 22.04": date(2027, 4, 30),
    "ubuntu 24.04": date(2029, 4, 30),
}
"""The last day with security updates for everybody, long-term support included and paid support left out."""

POSTGRESQL = 15
"""The major version of the cloud's PostgreSQL servers."""
MARIADB = (10, 11)
"""The version of the cloud's MariaDB servers."""
LOGICAL_SINCE = 10
"""PostgreSQL replicates logically from this major version on."""
GTID_SINCE = (10, 0)
"""MariaDB has global transaction identifiers from this version on."""

_CONTRIB = """
    adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance
    file_fdw fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime old_snapshot
    pageinspect pg_buffercache pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility
    pg_walinspect pgcrypto pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn
    tsm_system_rows tsm_system_time unaccent uuid-ossp xml2
"""
EXTENSIONS = frozenset(_CONTRIB.split())
"""What comes with PostgreSQL 15 itself; the cloud's servers have no others."""
ELSEWHERE = frozenset({"dblink", "file_fdw", "postgres_fdw"})
"""Extensions that reach for data outside of the database."""

FOREIGN_ENGINES = {
    "tnslsnr": "Oracle",
    "sqlservr": "SQL Server",
    "db2sysc": "Db2",
    "mongod": "MongoDB",
    "dmserver": "DM",
    "kingbase": "KingbaseES",
    "gaussdb": "openGauss",
}
"""Processes of database servers that the cloud does not run, with the product's name."""


def version_of(text: str | None) -> tuple[int, ...] | None:
    """``10.11.6`` as numbers; None when it does not begin with one."""
    found: list[int] = []
    for word in (text or "").split("."):
        digits = "".join(char for char in word if char.isdigit()) if word[:1].isdigit() else ""
        if not digits:
            break
        found.append(int(digits))
    return tuple(found) or None
