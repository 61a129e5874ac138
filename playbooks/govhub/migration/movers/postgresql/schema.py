"""The schema, in two parts: what rows need to arrive, and what is quicker to build when they have."""

from __future__ import annotations

import re

from govhub.migration.movers.postgresql.catalog import Part, differences
from govhub.migration.movers.postgresql.registry import SCHEMA, Registry, put
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done, Runner
from govhub.migration.sql import statements as sql

_DUMP = ("--schema-only", "--no-publications", "--no-subscriptions")
# Without a key on the target, changes of a row could not be applied while other tables are still copied.
_KEYS = """SELECT coalesce(k.tableoid, c.tableoid)::oid::text || ' ' || coalesce(k.oid, c.oid)::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u') AND k.conrelid = i.indrelid
  WHERE (i.indisprimary OR i.indisreplident) AND n.nspname !~ '^(pg_|information_schema$)'"""
_KEYED = """SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE (i.indisprimary OR i.indisreplident) AND n.nspname !~ '^(pg_|information_schema$|govhub_move$)'"""
_ENTRY = re.compile(r"^[0-9]+; ([0-9]+ [0-9]+) ")


def make_structure(runner: Runner, source: Server, target: Server, registry: Registry) -> None:
    """Tables, types, functions and extensions, in one transaction with the note that they are there."""
    if registry.get("structure"):
        return
    dump = source.command("pg_dump", "--section=pre-data", "--no-blobs", *_known_options(runner, source))
    script = _checked(runner.run(dump), "the schema cannot be read").output
    public = source.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'public'")
    note = "" if public else "DROP SCHEMA IF EXISTS public;\n"
    note += "SET search_path = pg_catalog;\n" + target.text(SCHEMA)
    note += ";\n" + _literal(target, "structure", "true") + ";\n"
    # The database's own schema "public" and its comment are there already; dumps of old servers make it again.
    text = script.decode("utf-8", "surrogateescape")
    text = re.sub(r"^CREATE SCHEMA public;$", "", text, flags=re.MULTILINE)
    psql = target.command("psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=_bytes(text + note))
    _checked(runner.run(psql), "the target does not take the schema")


def make_keys(runner: Runner, source: Server, target: Server, registry: Registry) -> None:
    """Primary keys and replica identities alone."""
    if registry.get("keys"):
        return
    keys = {row[0] for row in source.rows(_KEYS)}
    done = _restore_later(runner, source, target, only=keys)
    if missing := {row[0] for row in source.rows(_KEYED)} - {row[0] for row in target.rows(_KEYED)}:
        listed = [*sorted(missing)[:20], *_last_errors(done)]
        raise MoveFailed.one(
            "MOV026", "keys cannot be made on the target", detail="\n".join(listed), hint="correct it and repeat"
        )
    registry.set("keys", True)


def make_later(runner: Runner, source: Server, target: Server, registry: Registry, jobs: int) -> None:
    """Everything else: indexes, foreign keys, triggers, policies.

    Raises:
        MoveFailed: afterwards the two sides still differ (MOV021).
    """
    if not differences(source, target, Part.LATER):
        registry.set("later", True)
        return
    # A predecessor that was killed may have left a build behind; two at once would wait for each other.
    target.rows(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s
           AND datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'""",
        [target.application + "_build"],
    )
    done = _restore_later(runner, source, target, jobs=jobs)
    if rest := differences(source, target, Part.LATER):
        raise MoveFailed.one(
            "MOV021",
            "indexes, constraints or triggers of the target are not those of the source",
            detail="\n".join([*rest[:20], *_last_errors(done)]),
            hint="often rows that break a constraint which the source never checked; correct them there, then repeat",
        )
    registry.set("later", True)


def _restore_later(
    runner: Runner, source: Server, target: Server, *, only: set[str] | None = None, jobs: int = 1
) -> Done:
    name = f"{source.application}-schema"
    folder = runner.folder(name)
    try:
        archive, wanted = folder / "later", folder / "list"
        dump = source.command("pg_dump", "-Fc", "--section=post-data", "-f", str(archive))
        options = [item for item in _known_options(runner, source) if item != "--schema-only"]
        dump = Command(arguments=(*dump.arguments, *options), environment=dump.environment, secrets=dump.secrets)
        _checked(runner.run(dump), "the schema cannot be read")
        arguments = ["-d", target.endpoint.database, "-j", str(jobs)]
        if only is not None:
            listing = _checked(
                runner.run(source.command("pg_restore", "-l", str(archive))), "the schema cannot be read"
            )
            lines = listing.output.decode("utf-8", "surrogateescape").splitlines()
            chosen = [line for line in lines if (found := _ENTRY.match(line)) and found.group(1) in only]
            wanted.write_bytes(_bytes("\n".join(chosen) + "\n"))
            if not chosen:
                return Done(0, b"", "")
            arguments += ["-L", str(wanted)]
        restore = target.command("pg_restore", *arguments, str(archive))
        # What a killed predecessor made already is refused, and is no error; the comparison afterwards decides.
        return runner.run(
            Command(
                arguments=restore.arguments,
                environment={
                    **restore.environment,
                    "PGAPPNAME": target.application + "_build",
                    "PGOPTIONS": restore.environment["PGOPTIONS"] + _MEMORY,
                },
                secrets=restore.secrets,
            )
        )
    finally:
        runner.forget(name)


# Builds of indexes are what takes long here, and the target serves nobody else yet.
_MEMORY = " -c maintenance_work_mem=256MB"


def _known_options(runner: Runner, source: Server) -> list[str]:
    """Options of dumps that this version of pg_dump knows."""
    known = runner.run(source.command("pg_dump", "--help")).output.decode()
    return [item for item in _DUMP if item in known]


def _literal(target: Server, key: str, value: str) -> str:
    statement = target.text(put())
    parts = [target.text(sql.Literal(item)) for item in (key, value)]
    return statement.replace("%s", parts[0], 1).replace("%s", parts[1], 1)


def _checked(done: Done, summary: str) -> Done:
    if done.code:
        raise MoveFailed.one("MOV020", summary, detail="\n".join(_last_errors(done)), hint=_hint(done.errors))
    return done


def _hint(errors: str) -> str:
    if "is not available" in errors and "extension" in errors:
        return "install the extension's package on the target's server, then repeat"
    if "does not exist" in errors and "role" in errors:
        return "make the account on the target, then repeat"
    return "see the server's log; correct what it says, then repeat"


def _last_errors(done: Done) -> list[str]:
    return [line for line in done.errors.splitlines() if "ERROR" in line or "error:" in line][-8:]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
