"""Where things are: every environment variable's name, and the folders they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from govhub.core.errors import InvalidInput


class Env:
    """The environment variables that govhub reads; nothing else is looked at."""

    HOME = "GOVHUB_HOME"
    CACHE = "GOVHUB_CACHE"
    INVENTORIES = "GOVHUB_INVENTORIES"
    STATE = "GOVHUB_STATE"
    DATABASE = "GOVHUB_DATABASE"
    PROMETHEUS = "GOVHUB_PROMETHEUS"
    PASSPHRASE_FILE = "GOVHUB_PASSPHRASE_FILE"  # noqa: S105  # the name of a variable
    KUBECONFIG_PREFIX = "GOVHUB_KUBECONFIG_"
    TODAY = "GOVHUB_TODAY"
    LANG = "GOVHUB_LANG"
    ACTOR = "GOVHUB_ACTOR"
    BMC_USER = "GOVHUB_BMC_USER"
    BMC_PASSWORD = "GOVHUB_BMC_PASSWORD"  # noqa: S105  # the name of a variable
    BMC_PASSWORD_FILE = "GOVHUB_BMC_PASSWORD_FILE"  # noqa: S105  # the name of a variable
    SOURCE_PASSWORD = "GOVHUB_SOURCE_PASSWORD"  # noqa: S105  # the name of a variable
    TARGET_PASSWORD = "GOVHUB_TARGET_PASSWORD"  # noqa: S105  # the name of a variable
    DEBUG = "GOVHUB_DEBUG"


def value_of(variable: str) -> str:
    """A setting: from the environment, else from the user file; empty when neither has it.

    Raises:
        InvalidInput: the user file is damaged.
    """
    return os.environ.get(variable) or _user_settings().get(variable.removeprefix("GOVHUB_").lower(), "")


def user_file() -> Path:
    """Settings of this user, one ``name = "value"`` a line; names are those of the variables, as ``home``."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "govhub" / "config.toml"


def _user_settings() -> dict[str, str]:
    path = user_file()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("CFG001", f"the user file {path} cannot be read: {error}") from error
    import tomllib

    try:
        return {key: str(value) for key, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput.one(
            "CFG001", f"the user file {path} is no TOML: {error}", hint="mend or remove it"
        ) from error


def home() -> Path:
    """Runs, state, locks and lab clusters of this user; ``GOVHUB_HOME`` moves them."""
    if value := value_of(Env.HOME):
        return Path(value).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "govhub"


def cache() -> Path:
    """What can be built again: the toolchain; ``GOVHUB_CACHE`` moves it."""
    if value := value_of(Env.CACHE):
        return Path(value).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "govhub"


def hub_home(hub: str) -> Path:
    """The folder of a hub's runs, key and (by default) state on this machine."""
    return home() / "hubs" / hub


def connections_file(hub: str) -> Path:
    """How the lab's hosts of a hub are reached: JSON, by host its ``address``, ``user``, ``key``, ``known_hosts``."""
    return home() / "lab" / hub / "connections.json"


def today() -> date:
    """The day that exceptions are checked against; ``GOVHUB_TODAY`` (YYYY-MM-DD) is for rehearsing a date."""
    if value := value_of(Env.TODAY):
        return date.fromisoformat(value)
    return datetime.now(UTC).date()


def actor() -> str:
    """Who runs this, for the ledger and for locks."""
    return value_of(Env.ACTOR) or os.environ.get("USER") or f"uid-{os.getuid()}"


def content(*parts: str) -> Path:
    """A file that ships with govhub: in a checkout from its root, in a wheel from ``govhub/_content``."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_content"
    root = shipped if shipped.is_dir() else package.parents[1]
    return root.joinpath(*parts)


def inventories() -> Path:
    """The folder whose sub-folders are hubs: ``GOVHUB_INVENTORIES``, ``./inventories``, or the shipped ones."""
    if value := value_of(Env.INVENTORIES):
        return Path(value).expanduser().absolute()
    here = Path.cwd() / "inventories"
    return here if here.is_dir() else content("inventories")


@contextmanager
def settings_of(own: Mapping[str, str | None]) -> Iterator[None]:
    """Other settings for this process, by names of variables; None: not set. They are as before at the end."""
    before = {name: os.environ.get(name) for name in own}
    _set(own)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
