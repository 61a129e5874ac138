"""Accounts and settings that belong to a database but do not live in it."""

from __future__ import annotations

from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.sql import statements as sql

# duplicate_object, and unique_violation where two were at it at the very same time.
_THERE = {"42710", "23505"}
# Owners and those with grants; superusers' accounts of the servers themselves are not the move's business.
_USED = """SELECT DISTINCT r.rolname, r.rolcanlogin, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolconnlimit,
    a.rolpassword
  FROM pg_roles r JOIN pg_authid a ON a.oid = r.oid
  WHERE r.rolname !~ '^pg_' AND r.oid <> 10 AND (r.oid IN (
      SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
        AND dbid IN ((SELECT oid FROM pg_database WHERE datname = current_database()))
      UNION SELECT (aclexplode(datacl)).grantee FROM pg_database WHERE datname = current_database()
      UNION SELECT datdba FROM pg_database WHERE datname = current_database())
    OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_shdepend d ON d.refobjid = m.roleid
      AND d.refclassid = 'pg_authid'::regclass
      AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) WHERE m.member = r.oid))
  ORDER BY 1"""


def copy_roles(source: Server, target: Server) -> None:
    """Make the accounts that the database's objects and grants name, where they are not there, and their memberships.

    Passwords go as SCRAM verifiers, which reveal nothing; older ones (md5) do not go at all. Nobody becomes a
    superuser, whatever he was.
    """
    # The verifier must not show in a server log that keeps statements.
    quiet = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'"
    target.rows(quiet)
    there = {row[0] for row in target.rows("SELECT rolname FROM pg_roles")}
    names = []
    for name, login, inherit, createrole, createdb, limit, password in source.rows(_USED):
        names.append(name)
        if name in there:
            continue
        words = ["LOGIN" if login else "NOLOGIN", "INHERIT" if inherit else "NOINHERIT"]
        words += ["CREATEROLE" if createrole else "NOCREATEROLE", "CREATEDB" if createdb else "NOCREATEDB"]
        statement = sql.SQL("CREATE ROLE {} {} CONNECTION LIMIT {}").format(
            sql.Identifier(name),
            sql.SQL(" ".join(words)),
            sql.Literal(limit),
        )
        if password and password.startswith("SCRAM-SHA-256$"):
            statement += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
        _make(target, statement)
    target.rows("RESET log_statement; RESET log_min_duration_statement; RESET log_min_error_statement")
    _memberships(source, target, names)


def _memberships(source: Server, target: Server, names: list[str]) -> None:
    query = """SELECT g.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
        JOIN pg_roles m ON m.oid = a.member WHERE g.rolname = ANY(%s) AND m.rolname = ANY(%s)"""
    for group, member in sorted(set(source.rows(query, [names, names])) - set(target.rows(query, [names, names]))):
        _make(target, sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member)))


def _make(target: Server, statement: sql.Composed) -> None:
    """Accounts belong to the whole server: another move to it may make the same one at the same time."""
    try:
        target.rows(statement)
    except Refused as refused:
        if refused.state not in _THERE:
            raise


def copy_settings(source: Server, target: Server) -> None:
    """Settings and grants of the database itself, such as a search path or who may connect."""
    for role, name, value in source.rows(
        """SELECT r.rolname, split_part(item, '=', 1), substr(item, strpos(item, '=') + 1)
           FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
           LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS item
           WHERE d.datname = current_database() AND split_part(item, '=', 1) <> 'default_transaction_read_only'"""
    ):
        database = sql.Identifier(target.endpoint.database)
        who = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database) if role else None
        # Lists such as search_path are stored quoted already and are not one literal.
        text = sql.SQL(value) if name in {"search_path", "DateStyle"} else sql.Literal(value)
        target.rows(
            sql.SQL("ALTER {} SET {} = {}").format(
                who or sql.SQL("DATABASE {}").format(database), sql.Identifier(name), text
            )
        )
    _connect(source, target)
    grants = source.rows(
        """SELECT coalesce(g.rolname, ''), a.privilege_type, a.is_grantable FROM pg_database d, aclexplode(d.datacl) a
           LEFT JOIN pg_roles g ON g.oid = a.grantee WHERE d.datname = current_database()"""
    )
    if not grants:
        return
    database = sql.Identifier(target.endpoint.database)
    if not any(role == "" and privilege == "CONNECT" for role, privilege, _ in grants):
        target.rows(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role, privilege, grantable in grants:
        target.rows(
            sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
                sql.SQL(privilege),
                database,
                sql.Identifier(role) if role else sql.SQL("PUBLIC"),
                sql.SQL("WITH GRANT OPTION" if grantable and role else ""),
            )
        )


def _connect(source: Server, target: Server) -> None:
    """Let the move's accounts in by name where the source lets everybody in: a hub's servers take that back."""
    everybody = """SELECT bool_or(a.grantee = 0) FROM pg_database d,
        aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT'"""
    if source.value(everybody):
        for row in source.rows(_USED):
            statement = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
            target.rows(statement.format(sql.Identifier(target.endpoint.database), sql.Identifier(row[0])))


def copy_owner(source: Server, target: Server) -> None:
    """Whose the database is: its owner may make schemas in it. Superusers of the source are nobody here."""
    for (owner,) in source.rows(
        """SELECT r.rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
           WHERE d.datname = current_database() AND NOT r.rolsuper"""
    ):
        statement = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        target.rows(statement.format(sql.Identifier(target.endpoint.database), sql.Identifier(owner)))
