"""Variables that Ansible works out when a task needs them: secrets stand in no inventory, plan or run folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_OPENING = re.compile(r"\{(?=[{%#])")


class Expression(str):
    """A Jinja expression of ours; any other text of a hub is data, whatever it looks like."""

    __slots__ = ()


def lookup(plugin: str, *terms: str, **options: str | int) -> Expression:
    """The call of a lookup plugin of ``playbooks/plugins/lookup``."""
    words = [json.dumps(plugin), *map(json.dumps, terms), *(f"{key}={json.dumps(it)}" for key, it in options.items())]
    return Expression("{{ lookup(" + ", ".join(words) + ") }}")


def secret(hub: str, address: str, generation: int, *, length: int = 32, form: str = "plain") -> Expression:
    """A generated secret of a hub; ``form`` may be what a server keeps of a password: ``scram`` or ``mysql``."""
    return lookup("govhub_secret", address, hub=hub, generation=generation, length=length, form=form)


def is_template(text: str) -> bool:
    """Whether Jinja would find anything to do in a text."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def rendered(value: Any) -> Any:
    """``value`` for a static inventory: expressions as they are, and what only looks like one escaped."""
    if isinstance(value, str):
        return str(value) if isinstance(value, Expression) else _OPENING.sub("{{ '{' }}", value)
    if isinstance(value, Mapping):
        return {key: rendered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rendered(item) for item in value]
    return value
