"""Measured sizes from a file: YAML, ``system: 40Gi`` or ``system/move: 40Gi``, one a line."""

from __future__ import annotations

from pathlib import Path

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.core.quantities import bytes_of
from govhub.inventory.located import locate, read_yaml


def read_sizes(path: Path) -> dict[str, int]:
    """Bytes by ``system`` or ``system/move``.

    Raises:
        InvalidInput: the file cannot be read, or a value is no size.
    """
    problems = Diagnostics()
    found: dict[str, int] = {}
    tree = read_yaml(path, path.name, problems, "write one size a line, such as `system: 40Gi`")
    for name, value in tree.items() if tree else ():
        try:
            found[name] = bytes_of(value)
        except (ValueError, ArithmeticError):
            source = locate(tree, (name,))
            hint = "write bytes or a quantity such as 40Gi; leave out what was not measured"
            problems.error("WAV033", f'the size of "{name[:60]}" is no quantity', source=source, hint=hint)
    if problems.errors:
        raise InvalidInput(problems.sorted())
    return found
