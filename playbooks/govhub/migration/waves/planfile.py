"""The plan file: what people read, edit and keep beside the hub; YAML with one system a line."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.inventory.explaining import collect
from govhub.inventory.located import LocatedMap, locate, read_yaml
from govhub.inventory.model.common import Name, Part
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import Placement, Plan
from govhub.migration.waves.verdict import Where, unknown

SCHEMA: Literal["govhub.waves/1"] = "govhub.waves/1"
BEGIN = "give a file that `migrate plan --out` has written"
"""The hint for a file that is something else."""
EDITED = "by hand"


class SystemLine(Part):
    """One system of a wave."""

    system: Name
    cutover: date | None = None
    """The day on which its window begins; without it, any day of the wave that its window allows."""
    teams: list[Name] = []


class WavePart(Part):
    """One wave."""

    wave: Annotated[int, Field(ge=1, le=200)]
    begins: date | None = None
    ends: date | None = None
    systems: list[SystemLine] = []


class PlanFile(Part):
    """A plan of waves as a file."""

    schema_: Annotated[Literal["govhub.waves/1"], Field(alias="schema")]
    hub: Name
    inputs: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Digest of the hub files that it was made from."""
    method: Annotated[str, Field(max_length=40)] = EDITED
    waves: list[WavePart]


def written(problem: Problem, plan: Plan, language: str = "en") -> str:
    """``plan`` as the text of a plan file, with titles in ``language`` as comments."""
    root = CommentedMap(schema=SCHEMA, hub=plan.hub, inputs=plan.inputs, method=plan.method)
    waves = CommentedSeq()
    for number, items in plan.waves.items():
        slot, lines = problem.slot(number), CommentedSeq()
        for item in items:
            line = CommentedMap(system=item.system)
            if item.cutover:
                line["cutover"] = item.cutover
            if item.teams:
                line["teams"] = list(item.teams)
            line.fa.set_flow_style()
            lines.append(line)
            title = problem.candidates[item.system].title.get(language, "")
            if title:
                lines.yaml_add_eol_comment(" ".join(title.split()), len(lines) - 1)
        waves.append(CommentedMap(wave=number, begins=slot.first, ends=slot.last, systems=lines))
    root["waves"] = waves
    root.yaml_set_start_comment(
        f"Waves of {plan.hub}. Move lines to other waves and change days as you like, then:\n"
        f"govhub migrate plan {plan.hub} --check FILE"
    )
    yaml, out = YAML(), io.StringIO()
    yaml.width = 4096
    # Two systems on one night share a date object; an alias for it would be in the way of whoever edits the file.
    yaml.representer.ignore_aliases = lambda *_: True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(root, out)
    return out.getvalue()


def read_plan(path: Path, problem: Problem, problems: Diagnostics) -> tuple[Plan, Where] | None:
    """The plan in ``path`` and the positions of its parts; what is wrong with its form or names is collected.

    None when nothing can be made of the file. Systems that the hub does not have, or has twice here, are left out.
    """
    shown = path.name
    tree = read_yaml(path, shown, problems, BEGIN)
    if tree is None:
        return None
    try:
        file = PlanFile.model_validate(tree)
    except ValidationError as error:
        collect(error, tree, problems, PlanFile)
        return None
    portfolio = problem.portfolio
    if file.hub != portfolio.hub:
        hint = f"check it with: govhub migrate plan {file.hub} --check {path.name}"
        text = f'the plan is about the hub "{file.hub}", not "{portfolio.hub}"'
        problems.error("WAV001", text, source=locate(tree, ("hub",)), hint=hint)
        return None
    if file.inputs and file.inputs != portfolio.inputs:
        text = "the hub has changed since this plan was made"
        problems.note(
            "WAV017", text, source=locate(tree, ("inputs",)), hint="it is checked against the hub as it is now"
        )
    reader = _Reader(problem, file, tree, problems)
    placements = reader.placements()
    where = Where(reader.systems, reader.waves, SourceRange(shown))
    plan = Plan(hub=file.hub, inputs=file.inputs or portfolio.inputs, method=file.method, placements=tuple(placements))
    return plan, where


class _Reader:
    def __init__(self, problem: Problem, file: PlanFile, tree: LocatedMap, problems: Diagnostics) -> None:
        self.problem, self.file, self.tree, self.problems = problem, file, tree, problems
        self.systems: dict[str, SourceRange] = {}
        self.waves: dict[int, SourceRange] = {}

    def placements(self) -> list[Placement]:
        out = []
        for i, wave in enumerate(self.file.waves):
            self._dates(i, wave)
            for j, line in enumerate(wave.systems):
                source = locate(self.tree, ("waves", i, "systems", j)) or SourceRange(self.tree.file)
                if self._counts(line, source):
                    self.systems[line.system] = source
                    out.append(Placement(line.system, wave.wave, line.cutover, tuple(line.teams)))
        return out

    def _counts(self, line: SystemLine, source: SourceRange) -> bool:
        name, portfolio = line.system, self.problem.portfolio
        staying = {item.name: item.strategy for item in portfolio.staying}
        if name in staying:
            text = f'"{name}" does not move: its strategy is {staying[name]}'
            self.problems.error(
                "WAV005", text, source=source, address=name, hint="remove the line, or change the strategy"
            )
        elif name not in portfolio.candidates:
            hint = unknown(name, portfolio.candidates)
            self.problems.error("WAV002", f'the hub has no system "{name}"', source=source, address=name, hint=hint)
        elif name in self.systems:
            text = f'"{name}" is in the plan twice'
            hint = f"keep one; the first is at {self.systems[name]}"
            self.problems.error("WAV003", text, source=source, address=name, hint=hint)
        else:
            teams = {team.name for team in self.problem.limits.teams}
            for team in line.teams if teams else ():
                if team not in teams:
                    text = f'"{team}", which is to move "{name}", is no team of the hub'
                    self.problems.warning(
                        "WAV018", text, source=source, address=name, hint=f"teams: {', '.join(sorted(teams))}"
                    )
            return True
        return False

    def _dates(self, i: int, wave: WavePart) -> None:
        source = locate(self.tree, ("waves", i)) or SourceRange(self.tree.file)
        if wave.wave in self.waves:
            text = f"wave {wave.wave} stands twice"
            self.problems.error(
                "WAV006", text, source=source, hint=f"join them; the first is at {self.waves[wave.wave]}"
            )
            return
        self.waves[wave.wave] = source
        if wave.wave > len(self.problem.slots):
            return
        slot = self.problem.slot(wave.wave)
        if (wave.begins or slot.first, wave.ends or slot.last) != (slot.first, slot.last):
            text = f"wave {wave.wave} is from {slot.first} to {slot.last} by the hub's rules"
            hint = "dates of waves follow from migration.first_wave and wave_days; change them there"
            self.problems.error("WAV006", text, source=source, hint=hint)
