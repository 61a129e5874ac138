"""Judging one reading of a host by the catalogue; nothing passes by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from govhub.core.sections import Reading
from govhub.hosts.audit import accounts, settings, surroundings
from govhub.hosts.audit.catalogue import checks
from govhub.hosts.audit.model import Check, Result, Subject, Unverified, Verdict
from govhub.hosts.content import role_defaults, roles_of
from govhub.hosts.variables import Declared

MOST = 20
"""Findings of one check on one host that are kept."""
FUNCTIONS: Mapping[str, Callable[..., list[str]]] = {
    function.__name__: function
    for function in (
        accounts.accounts_only,
        accounts.accounts_unique,
        accounts.administrators,
        accounts.default_accounts,
        accounts.no_empty_password,
        accounts.password_age,
        accounts.sudo_log,
        accounts.sudoers,
        settings.journal,
        settings.kernel_audit,
        settings.lines,
        settings.modes,
        settings.modules,
        settings.pam_settings,
        settings.private_keys,
        settings.sshd,
        settings.sshd_algorithms,
        settings.sshd_users,
        settings.sysctl,
        surroundings.certificates,
        surroundings.clock,
        surroundings.firewall,
        surroundings.no_ports,
        surroundings.none_of,
        surroundings.none_pending,
        surroundings.package_sources,
        surroundings.ports,
        surroundings.services,
        surroundings.time_servers,
        surroundings.units,
    )
}


def subject_of(host: Declared, reading: Reading, now: datetime) -> Subject:
    """A host under audit: declared variables over the defaults of its roles."""
    roles = roles_of(host.groups)
    variables: dict[str, Any] = {}
    for role in roles:
        variables |= role_defaults(role)
    return Subject(reading, variables | dict(host.variables), roles, str(host.connection["ansible_user"]), now)


def applicable(roles: tuple[str, ...]) -> list[Check]:
    """The checks that are for a host of these roles."""
    return [check for check in checks().values() if not check.role or check.role in roles]


def judge(host: Subject) -> list[Verdict]:
    """A verdict for each check that is for this host."""
    return [_verdict(check, host) for check in applicable(host.roles)]


def unread(roles: tuple[str, ...], why: str) -> list[Verdict]:
    """The verdicts on a host that could not be read: none is passed."""
    return [Verdict(check=check.id, result=Result.UNVERIFIED, found=(why,)) for check in applicable(roles)]


def _verdict(check: Check, host: Subject) -> Verdict:
    try:
        found = FUNCTIONS[check.function](host, **settings.as_values(dict(check.arguments), host.variables))
    except Unverified as why:
        return Verdict(check=check.id, result=Result.UNVERIFIED, found=(str(why),))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        # What a host answers may have any form: what is not understood is not verified.
        text = f"the answer cannot be understood: {type(error).__name__}: {str(error)[:80]}"
        return Verdict(check=check.id, result=Result.UNVERIFIED, found=(text,))
    if not found:
        return Verdict(check=check.id, result=Result.PASSED)
    more = [f"… {len(found) - MOST} more"] if len(found) > MOST else []
    return Verdict(check=check.id, result=Result.FAILED, found=(*found[:MOST], *more))
