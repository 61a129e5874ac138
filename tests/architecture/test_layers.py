"""The layers are contracts: they hold, and a violation of each is caught."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PORTIONS = ("inventories", "stacks", "lab", "playbooks", "monitoring", "cli")
# With -S the editable install of the checkout is not seen: a copy would be merged with it into one namespace.
LINT = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
AUTOMATION = {"stacks/govhub/engine/runner.py", "stacks/govhub/engine/command.py", "cli/govhub/bench/stock.py"}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    folders = [*(str(root / name) for name in PORTIONS), sysconfig.get_path("purelib")]
    environment = os.environ | {"PYTHONPATH": ":".join(folders)}
    command = [sys.executable, "-S", "-c", LINT, "--no-cache", "--config", str(root / ".importlinter")]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)


def sources(root: Path = ROOT) -> Iterator[Path]:
    for portion in PORTIONS:
        yield from sorted((root / portion / "govhub").rglob("*.py"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code and its contracts, to break."""
    for portion in PORTIONS:
        shutil.copytree(
            ROOT / portion / "govhub",
            tmp_path / portion / "govhub",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
    analysed = int(done.stdout.partition("Analyzed ")[2].partition(" files")[0])
    assert analysed >= len(list(sources())), "a portion of the namespace was not seen"


VIOLATIONS = {
    "ops on the command line": ("cli/govhub/ops/status.py", "import govhub.cli.main", "layer"),
    "core on the inventory": ("inventories/govhub/core/text.py", "import govhub.inventory.loader", "layer"),
    "inventory on the engine": ("inventories/govhub/inventory/sizing.py", "import govhub.engine.lease", "layer"),
    "engine on ops": ("stacks/govhub/engine/drift.py", "import govhub.ops.plan", "layer"),
    "lab on the engine": ("lab/govhub/lab/cluster.py", "import govhub.engine.state", "The lab knows"),
    "lab on the stacks": ("lab/govhub/lab/cluster.py", "import govhub.stacks.render", "The lab knows"),
    "engine on the lab": ("stacks/govhub/engine/drift.py", "import govhub.lab.toolchain", "know no lab"),
    "hosts on the lab": ("playbooks/govhub/hosts/reach.py", "import govhub.lab.cluster", "Hosts know"),
    "a login outside": ("cli/govhub/ops/status.py", "import authlib.jose", "identity provider"),
    "a web framework outside": ("cli/govhub/ops/status.py", "import starlette.requests", "web framework"),
    "ansible outside": ("cli/govhub/ops/hosts.py", "import ansible_runner", "Ansible"),
    "sushy outside": ("cli/govhub/ops/enrol.py", "import sushy", "Redfish"),
    "cryptography outside": ("playbooks/govhub/hosts/passwords.py", "import cryptography.x509", "Cryptography"),
    "pulumi outside": ("cli/govhub/ops/up.py", "import pulumi.automation", "Pulumi"),
    "kubernetes outside": ("stacks/govhub/engine/live.py", "from kubernetes import client", "Kubernetes"),
    "a process outside": ("cli/govhub/ops/status.py", "import subprocess", "Processes"),
    "a process in a function": ("inventories/govhub/core/keys.py", "def f():\n    import subprocess", "Processes"),
    "typer outside": ("cli/govhub/ops/status.py", "import typer", "Typer"),
    "rich outside": ("stacks/govhub/engine/executor.py", "from rich.console import Console", "Typer"),
    "planning on a cluster": ("cli/govhub/ops/upgrading/budgets.py", "import govhub.core.kube", "without asking"),
    "migration on hosts": (
        "playbooks/govhub/migration/record/store.py",
        "import govhub.hosts.reach",
        "Migration knows",
    ),
    "hosts on migration": ("playbooks/govhub/hosts/reach.py", "import govhub.migration.record.store", "Hosts know"),
    "sqlalchemy outside": ("cli/govhub/ops/migration/run.py", "import sqlalchemy", "record's database"),
    "dbos outside": ("playbooks/govhub/migration/itinerary/engine.py", "from dbos import DBOS", "Durable"),
    "docx outside": ("cli/govhub/ops/migration/dossier.py", "import docx", "dossier alone"),
    "psycopg outside": ("cli/govhub/ops/session.py", "import psycopg", "database"),
    "numpy outside": ("cli/govhub/ops/capacity/show.py", "import numpy", "numpy has one home"),
    "arithmetic on the hub": (
        "monitoring/govhub/monitoring/arithmetic/tree.py",
        "import govhub.inventory.loader",
        "over arrays alone",
    ),
    "monitoring on the engine": (
        "monitoring/govhub/monitoring/halls.py",
        "import govhub.engine.lease",
        "Monitoring knows",
    ),
    "pymysql outside": ("cli/govhub/ops/session.py", "import pymysql", "MariaDB"),
}


@pytest.mark.parametrize("what", VIOLATIONS)
def test_a_violation_is_caught(copy: Path, what: str) -> None:
    file, code, contract = VIOLATIONS[what]
    path = copy / file
    assert path.is_file()
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{code}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), done.stdout


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_runner_its_command_and_the_benchmark_drive_the_automation_api() -> None:
    """import-linter sees ``pulumi`` as a whole; components need it too, but only to register objects."""
    found = {
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name.startswith("pulumi.automation") for name in imports(path))
    }
    assert found == AUTOMATION


def test_the_namespace_has_no_init_file_that_would_hide_its_other_portions() -> None:
    assert [portion for portion in PORTIONS if (ROOT / portion / "govhub" / "__init__.py").exists()] == []


def test_the_command_line_starts_without_engine_cluster_and_database_libraries() -> None:
    heavy = ("pulumi", "kubernetes", "ansible", "psycopg", "pymysql", "grpc", "openpyxl")
    script = f"import sys, govhub.cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": ":".join(str(ROOT / name) for name in PORTIONS)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_module_is_longer_than_600_lines_and_no_function_than_60() -> None:
    modules, long = 0, []
    tests = [path for path in (ROOT / "tests").rglob("*.py") if "__pycache__" not in path.parts]
    for path in [*sources(), *tests]:
        modules += 1
        name, lines = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8").count("\n")
        if lines > 600:
            long.append(f"{name}: {lines} lines")
        long += [f"{name}: {function} has {size} lines" for function, size in functions(path) if size > 60]
    assert long == []
    assert modules > 150


def test_functions_are_short_as_a_rule() -> None:
    sizes = sorted(size for path in sources() for _, size in functions(path))
    assert len(sizes) > 500
    assert sizes[len(sizes) // 2] <= 10, "the median"
    assert sizes[len(sizes) * 9 // 10] <= 40, "nine of ten"
