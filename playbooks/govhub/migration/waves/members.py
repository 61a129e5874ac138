"""Which systems a plan file has in which wave; nothing else of it is looked at."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.inventory.explaining import collect
from govhub.inventory.located import locate, read_yaml
from govhub.migration.waves.planfile import BEGIN, PlanFile


def members(path: Path, hub: str) -> dict[int, tuple[str, ...]]:
    """Systems by the number of their wave.

    Raises:
        InvalidInput: the file cannot be read as a plan, or is about another hub (WAV001).
    """
    problems = Diagnostics()
    tree = read_yaml(path, path.name, problems, BEGIN)
    file = None
    if tree is not None:
        try:
            file = PlanFile.model_validate(tree)
        except ValidationError as error:
            collect(error, tree, problems, PlanFile)
    if tree is not None and file and file.hub != hub:
        text = f'the plan is about the hub "{file.hub}", not "{hub}"'
        problems.error("WAV001", text, source=locate(tree, ("hub",)), hint="give the plan of this hub")
    if file is None or problems.errors:
        raise InvalidInput(problems.sorted())
    found: dict[int, tuple[str, ...]] = {}
    for wave in file.waves:
        found[wave.wave] = (*found.get(wave.wave, ()), *(line.system for line in wave.systems))
    return found
