"""``config show``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from govhub.cli import i18n
from govhub.cli.grammar import command, group
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core import settings
from govhub.core.settings import Env

Origin = Annotated[bool, typer.Option("--origin", help="Also say where each value comes from.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "config", "The settings of this machine.")
    command(child, "show")(show)


def show(terminal: Terminal, origin: Origin = False) -> int:
    """Show every setting that govhub reads, and its value."""
    from govhub.cli.views.documents import show_settings

    found = gather(terminal)
    if not origin:
        found = [{key: value for key, value in item.items() if key != "origin"} for item in found]
    document = {"schema": "govhub.config/1", "settings": found}
    view_of(terminal).show(document, lambda console: show_settings(console, found))
    return 0


def gather(terminal: Terminal) -> list[dict[str, Any]]:
    """Name, value and origin of each setting; precedence is flag, environment, hub, user file, default."""
    kubeconfigs = sorted(name for name in os.environ if name.startswith(Env.KUBECONFIG_PREFIX))
    return [
        _setting("home", str(settings.home()), Env.HOME, "XDG_STATE_HOME"),
        _setting("cache", str(settings.cache()), Env.CACHE, "XDG_CACHE_HOME"),
        _setting("inventories", str(settings.inventories()), Env.INVENTORIES),
        _setting("state", _state(), Env.STATE),
        _setting("record of migrations", _record(), Env.DATABASE),
        _setting("prometheus", _prometheus(), Env.PROMETHEUS),
        _setting("passphrase file", settings.value_of(Env.PASSPHRASE_FILE) or "made for each hub", Env.PASSPHRASE_FILE),
        _setting("bmc user", settings.value_of(Env.BMC_USER) or "asked for", Env.BMC_USER),
        _setting("bmc password file", settings.value_of(Env.BMC_PASSWORD_FILE) or "none", Env.BMC_PASSWORD_FILE),
        _setting("today", settings.today().isoformat(), Env.TODAY),
        _setting("actor", settings.actor(), Env.ACTOR, "USER"),
        _setting("language", i18n.chosen(None), Env.LANG, "LC_ALL", "LC_MESSAGES", "LANG"),
        _setting("colour", "no" if terminal.plain else "on terminals", "NO_COLOR"),
        *(_setting(f"kubeconfig {name[len(Env.KUBECONFIG_PREFIX) :]}", os.environ[name], name) for name in kubeconfigs),
    ]


def _setting(name: str, value: str, *variables: str) -> dict[str, Any]:
    used = next((variable for variable in variables if os.environ.get(variable)), None)
    origin = f"environment {used}" if used else "default"
    # The user file knows only our own names, and comes after our variable but before those of the system.
    if used != variables[0] and variables[0].startswith("GOVHUB_") and settings.value_of(variables[0]):
        origin = f"user file {settings.user_file()}"
    return {
        "name": name,
        "value": value,
        "origin": origin,
        "variable": variables[0],
    }


def _prometheus() -> str:
    """Its address without the login that it may carry."""
    scheme, _, rest = settings.value_of(Env.PROMETHEUS).partition("://")
    login, found, host = rest.rpartition("@")
    return f"{scheme}://[secret]@{host}" if found and login else settings.value_of(Env.PROMETHEUS) or "the lab's"


def _state() -> str:
    """The address of the state without the password that it may carry."""
    from urllib.parse import urlsplit

    address = settings.value_of(Env.STATE)
    parts = urlsplit(address)
    if parts.password:
        return address.replace(f":{parts.password}@", ":[secret]@")
    return address or str(settings.home() / "hubs" / "HUB" / "state")


def _record() -> str:
    """Where the record of migrations is: of an address only what cannot hold a password."""
    from urllib.parse import urlsplit

    address = settings.value_of(Env.DATABASE)
    if not address:
        return str(settings.home() / "hubs" / "HUB" / "record.db")
    try:
        parts = urlsplit(address)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
