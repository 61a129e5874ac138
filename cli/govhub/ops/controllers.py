"""Management controllers: who logs in to them, what they tell, and what they are asked to do; several at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError, UsageError
from govhub.core.private import read_private
from govhub.core.secrets import REDACTOR, Secret
from govhub.core.settings import Env, value_of
from govhub.hosts.machines import Login, Machine
from govhub.hosts.redfish import Controller
from govhub.inventory.loader import Hub

AT_ONCE = 16
Ask = Callable[[str], str]
"""Asks a person for a password without showing it; the argument is the user."""


def login_of(hub: Hub, user: str, password_file: Path | None, ask: Ask | None) -> Login:
    """Who logs in: options, else the environment, else a question. Passwords are never options.

    Raises:
        UsageError: no user or no password is given, and there is nobody to ask (BMC002).
        InvalidInput: the password file is open to others, or in the hub folder.
    """
    user = user or value_of(Env.BMC_USER)
    named = password_file or (Path(path) if (path := value_of(Env.BMC_PASSWORD_FILE)) else None)
    # Not from the user file, which nobody keeps private.
    password = os.environ.get(Env.BMC_PASSWORD, "")
    if named and (password_file or not password):
        password = read_private(named.expanduser(), hub.folder)
    if user and not password and ask:
        password = ask(user)
    if not user or not password:
        raise UsageError.one(
            "BMC002",
            f"no {'password' if user else 'user'} for the management controllers",
            hint=f"set {Env.BMC_USER}, and {Env.BMC_PASSWORD} or {Env.BMC_PASSWORD_FILE} (a file of mode 600)",
        )
    return Login(user, REDACTOR.add(Secret(password)))


@contextmanager
def authority_of(hub: Hub) -> Iterator[Path | None]:
    """The hub's authority for controllers as a file; None when this machine's own store decides."""
    if not hub.model.baseline.bmc_ca:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="govhub-bmc-") as folder:
        path = Path(folder) / "authority.pem"
        path.write_text(hub.model.baseline.bmc_ca.strip() + "\n", encoding="utf-8")
        yield path


def look_at(controllers: Iterable[Controller]) -> dict[str, Machine | list[Diagnostic]]:
    """What each tells of its machine, or why it does not; by address, in the order given."""
    controllers = list(controllers)

    def look(one: Controller) -> Machine | list[Diagnostic]:
        try:
            return one.look()
        except GovhubError as error:
            return error.diagnostics

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((one.address for one in controllers), pool.map(look, controllers), strict=True))


def act_on(controllers: Mapping[str, Controller], *, network_boot: bool, power: str) -> dict[str, list[Diagnostic]]:
    """Set the boot source first, then switch; what did not work by address, empty for what did."""

    def act(one: Controller) -> list[Diagnostic]:
        try:
            if network_boot:
                one.boot_from_network_once()
            if power:
                one.power(power)
        except GovhubError as error:
            return error.diagnostics
        return []

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(controllers, pool.map(act, controllers.values()), strict=True))
