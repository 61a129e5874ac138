"""Checks of accounts: who there is, who may log in, who may become root."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.hosts.audit.model import Subject, Unverified

_NO_SHELL = ("/nologin", "/false", "/sync")
_FIRST_PERSON = 1000
_KEY_PARTS = 2
People = list[Mapping[str, str]]


def accounts_unique(host: Subject) -> list[str]:
    """Numbers that several accounts share, and roots beside root."""
    rows = _accounts(host)
    counts = Counter(row[2] for row in rows)
    return [f"{row[0]} has the number {row[2]} of another account" for row in rows if counts[row[2]] > 1]


def administrators(host: Subject, people: People) -> list[str]:
    """Declared administrators without an account, or with other keys than declared."""
    known = {row[0] for row in _accounts(host)}
    keys = _keys(host)
    found = []
    for person in people:
        name, wanted = person["name"], tuple(person["key"].split()[:_KEY_PARTS])
        if name not in known:
            found.append(f"{name} has no account")
            continue
        if wanted not in keys.get(name, []):
            found.append(f"{name} does not have the declared key")
        if more := [key for key in keys.get(name, []) if key != wanted]:
            found.append(f"{name} has {len(more)} keys that are not declared")
    return found


def no_empty_password(host: Subject) -> list[str]:
    """Accounts that anybody can be."""
    return [f"{name} has an empty password" for name, (state, _) in _passwords(host).items() if state == "empty"]


def password_age(host: Subject, days: int) -> list[str]:
    """Accounts whose password never has to be changed, and a rule for new accounts that is weaker than declared."""
    found = []
    for name, (state, most) in _passwords(host).items():
        if state == "set" and not 0 < most <= days:
            found.append(f"the password of {name} is good for {most if most < 99999 else 'ever'} days")
    rules = [line.split() for line in host.lines("logindefs") if line.startswith("PASS_MAX_DAYS")]
    if not rules or int(rules[-1][1]) > days:
        found.append(f"new passwords are good for {rules[-1][1] if rules else 'any number of'} days, not {days}")
    return found


def default_accounts(host: Subject) -> list[str]:
    """System accounts that could log in."""
    passwords = _passwords(host)
    found = []
    for row in _accounts(host):
        name, number, shell = row[0], int(row[2]), row[6]
        if number >= _FIRST_PERSON:
            continue
        if passwords.get(name, ("locked", 0))[0] != "locked":
            found.append(f"{name} has a password")
        if name != "root" and not shell.endswith(_NO_SHELL):
            found.append(f"{name} has the shell {shell}")
    if _keys(host).get("root"):
        found.append("root has keys to log in with")
    return found


def accounts_only(host: Subject, people: People, former: Iterable[str]) -> list[str]:
    """People beyond those declared, and those who should be gone."""
    wanted = {host.login, *(person["name"] for person in people)}
    rows = _accounts(host)
    gone = set(former)
    found = [f"{row[0]} left and still has an account" for row in rows if row[0] in gone]
    persons = {row[0] for row in rows if int(row[2]) >= _FIRST_PERSON and not row[6].endswith(_NO_SHELL)}
    found += [f"{name} is not declared and can log in" for name in sorted(persons - wanted - gone)]
    strangers = sorted(set(_keys(host)) - wanted - persons - {"root"})
    return found + [f"{name} is not declared and has keys to log in with" for name in strangers]


def sudoers(host: Subject, people: People) -> list[str]:
    """Who may use sudo beyond root, the login account and the administrators; and administrators who may not."""
    allowed = {"root", host.login, *(person["name"] for person in people)}
    members = _members(host)
    rights: set[str] = set()
    strangers: list[str] = []
    for rule in _sudo_rules(host):
        for user in rule.get("User_List", []):
            names, text = _meant(user, members)
            rights |= names
            if names - allowed:
                strangers.append(f"{text} may use sudo: {', '.join(sorted(names - allowed))}")
    missing = [f"{name} may not use sudo" for name in sorted({person["name"] for person in people} - rights)]
    return sorted(set(strangers)) + missing


def sudo_log(host: Subject, file: str) -> list[str]:
    """Whether sudo writes down what is done with it."""
    options: dict[str, Any] = {}
    for entry in _sudo_document(host).get("Defaults", []):
        for option in entry.get("Options", []) if "Binding" not in entry else []:
            options |= option
    found = [] if options.get("logfile") == file else [f"sudo does not write to {file}"]
    return found if options.get("use_pty") else [*found, "sudo does not run commands in a terminal of their own"]


def _meant(user: Mapping[str, Any], members: Mapping[str, set[str]]) -> tuple[set[str], str]:
    """The accounts that an entry of sudoers stands for, and the entry as it is written."""
    if "username" in user:
        name = str(user["username"])
        return ({"everybody"} if name == "ALL" else {name}), name
    if "usergroup" in user:
        return members.get(str(user["usergroup"]), set()), f"%{user['usergroup']}"
    if "userid" in user:
        return {f"#{user['userid']}"}, f"#{user['userid']}"
    # Netgroups and what else there may be: who that is cannot be told here, so it is nobody who was declared.
    text = json.dumps(user, sort_keys=True)
    return {text}, text


def _sudo_rules(host: Subject) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = _sudo_document(host).get("User_Specs", [])
    return rules


def _sudo_document(host: Subject) -> dict[str, Any]:
    try:
        found = json.loads("\n".join(host.lines("sudoers")))
    except ValueError as error:
        raise Unverified(f"sudoers cannot be understood: {error}") from error
    if not isinstance(found, dict):
        raise Unverified("sudoers cannot be understood")
    return found


def _members(host: Subject) -> dict[str, set[str]]:
    """Who is in which group, by primary groups too."""
    rows = [line.split(":") for line in host.lines("group")]
    names = {row[2]: row[0] for row in rows if len(row) == 4}
    members = {row[0]: set(filter(None, row[3].split(","))) for row in rows if len(row) == 4}
    for account in _accounts(host):
        if group := names.get(account[3]):
            members[group].add(account[0])
    return members


def _accounts(host: Subject) -> list[list[str]]:
    rows = [line.split(":") for line in host.lines("passwd")]
    whole = [row for row in rows if len(row) == 7 and row[2].isdigit()]
    if not whole or len(whole) != len(rows):
        raise Unverified("the list of accounts cannot be understood")
    return whole


def _passwords(host: Subject) -> dict[str, tuple[str, int]]:
    """By account whether its password is set, empty or locked, and after how many days it has to be changed."""
    rows = [line.split(":") for line in host.lines("shadow")]
    if not rows or any(len(row) != 4 for row in rows):
        raise Unverified("the state of passwords could not be read")
    return {row[0]: (row[1], int(row[3]) if row[3].isdigit() else 99999) for row in rows}


def _keys(host: Subject) -> dict[str, list[tuple[str, ...]]]:
    """The keys that open each account, as type and key; options before them are left out."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in host.lines("authorized"):
        name, _, rest = line.partition(" ")
        words = rest.split()
        if not words or words[0].startswith("#"):
            continue
        at = next((i for i, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), None)
        key = tuple(words[at : at + _KEY_PARTS]) if at is not None else tuple(words)
        found.setdefault(name, []).append(key)
    return found
