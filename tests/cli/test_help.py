"""Every command's ``--help`` is what was committed, and takes no heavy library to print."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.conftest import Result
from cli.samples import matches
from govhub.cli.main import make_app
from govhub.cli.options import EVERYWHERE

HEAVY = (
    "pulumi",
    "kubernetes",
    "ansible",
    "pyinfra",
    "gevent",
    "cryptography",
    "pydantic",
    "yaml",
    "ruamel",
    "rich",
    "babel",
    "psycopg",
    "pymysql",
    "openpyxl",
    "ortools",
    "networkx",
)


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, *path, name)


PATHS = list(commands(typer.main.get_command(make_app())))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(path) or "govhub")
def test_help_is_as_committed(path: tuple[str, ...], govhub: Any) -> None:
    result: Result = govhub(*path, "--help")
    assert result[0] == 0
    assert result[2] == ""
    assert matches(f"help/{'-'.join(path) or 'govhub'}.txt", result[1])


@pytest.mark.parametrize("path", [path for path in PATHS if path], ids=" ".join)
def test_every_command_takes_the_common_flags(path: tuple[str, ...], govhub: Any) -> None:
    text = govhub(*path, "--help")[1]
    if "COMMAND" not in text:
        assert all(f"--{name.replace('_', '-')}" in text for name in EVERYWHERE)


# Typer itself parses a command's options with pydantic; the list of commands must do without even that.
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["plan", "--help"],
        ["lab", "up", "--help"],
        ["hosts", "run", "--help"],
        ["migrate", "plan", "--help"],
        ["--version"],
    ],
    ids=str,
)
def test_help_imports_no_heavy_library(words: list[str]) -> None:
    heavy = [name for name in HEAVY if name != "pydantic" or words == ["--help"]]
    code = (
        "import sys; from govhub.cli.main import main; main(sys.argv[1:]); "
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stderr.strip() == "[]"
