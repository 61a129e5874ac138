"""Systems by their names or by their waves: the plan of record says which systems a wave has, or a plan file does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.loader import Hub
from govhub.migration.record.planned import planned
from govhub.migration.record.store import Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import opened

PREFIX = "wave-"


@dataclass(frozen=True, slots=True)
class Waves:
    """The waves of a plan, by the name that commands take: ``wave-3``."""

    systems: Mapping[str, tuple[str, ...]]
    plan: str
    """Where they come from."""

    def of(self, system: str) -> str | None:
        """The wave that a system is in."""
        return next((name for name, systems in self.systems.items() if system in systems), None)


def waves_of(hub: Hub, record: Record, plan: Path | None = None) -> Waves:
    """The waves of a plan file, or of the plan that was entered into the record last.

    Raises:
        InvalidInput: the plan file cannot be read.
    """
    if plan is not None:
        from govhub.migration.waves.members import members

        found = members(plan, hub.name)
        return Waves({f"{PREFIX}{number}": found[number] for number in sorted(found)}, plan.name)
    numbers: dict[int, list[str]] = {}
    for system in record.chains():
        # Unchecked: a system whose record is broken must not drop out of its wave unseen; using it says what is wrong.
        if entry := planned(record.unchecked(system)):
            numbers.setdefault(entry.wave, []).append(system)
    return Waves({f"{PREFIX}{number}": tuple(numbers[number]) for number in sorted(numbers)}, "the record")


def systems_of(hub: Hub, record: Record, words: Iterable[str], plan: Path | None = None) -> tuple[str, ...]:
    """The systems that words mean, in their order and each once; a system goes before a wave of the same name.

    Raises:
        InvalidInput: a word is neither a system that moves nor a wave (RUN013, RUN032), or the file cannot be read.
    """
    words = tuple(words)
    moving = {item.system for item in hub.model.migrations}
    systems = moving | set(record.chains())
    if plan is None and all(word in systems for word in words):
        return tuple(dict.fromkeys(words))
    waves = waves_of(hub, record, plan)
    problems = Diagnostics()
    out: list[str] = []
    for word in words:
        if word in systems:
            out.append(word)
        elif word in waves.systems:
            out += waves.systems[word]
        elif word.removeprefix(PREFIX).isdigit() and word.startswith(PREFIX):
            known = and_more(list(waves.systems), 8)
            hint = f"{waves.plan} has: {known}" if known else _NO_PLAN
            problems.error("RUN032", f'there is no wave "{word}"', hint=hint)
        else:
            hint = did_you_mean(word, [*moving, *waves.systems]) or "declare it under `migrations`"
            problems.error("RUN013", f'{hub.name} declares no migration of "{word}"', hint=hint)
    if problems.errors:
        raise InvalidInput(problems.sorted())
    return tuple(dict.fromkeys(out))


_NO_PLAN = "no plan was entered yet: `migrate plan HUB --out FILE`, or give a plan file with --plan"


def means_wave(hub_name: str, word: str, plan: Path | None = None) -> bool:
    """Whether a word means a wave and not a system.

    Raises:
        InvalidInput: the hub is not valid, or the word is neither (RUN013, RUN032).
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name) as record:
        return systems_of(hub, record, [word], plan) != (word,)
