"""The wheel carries all portions and their content, and works outside of the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PORTIONS = ("inventories", "stacks", "lab", "playbooks", "monitoring", "cli")
VALIDATE = """
import json
import govhub.ops.validate as module
from govhub.core.settings import content
result = module.validate(())
print(json.dumps({
    "from": module.__file__,
    "content": str(content()),
    "hubs": sorted(result.hubs),
    "exit": int(result.exit),
    "problems": [item.as_dict() for items in result.hubs.values() for item in items if item.severity == "error"],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and nothing of the checkout; our dependencies are only made visible."""
    venv = tmp_path_factory.mktemp("venv") / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=120)
    python = str(venv / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--disable-pip-version-check", str(wheel)], check=True, timeout=120)
    (site,) = (venv / "lib").glob("python3.*/site-packages")
    # A plain path in a .pth file: the .pth files of the environment behind it, our editable install, are not run.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "GOVHUB_INVENTORIES")}
    program = [str(installed / "bin" / command[0]), *command[1:]]
    return subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_module_of_every_portion_is_in_the_wheel(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT / portion))
        for portion in PORTIONS
        for path in (ROOT / portion / "govhub").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(wanted) > 100
    assert wanted - names(wheel) == set()


def test_every_hub_schema_and_tool_recipe_is_in_the_wheel(wheel: Path) -> None:
    files = {
        f"govhub/_content/{path.relative_to(ROOT)}"
        for folder in (ROOT / "inventories", ROOT / "lab/toolchain", ROOT / "playbooks/plays", ROOT / "playbooks/roles")
        for path in folder.rglob("*")
        if path.is_file() and "govhub" not in path.relative_to(ROOT).parts and "__pycache__" not in path.parts
    }
    assert len([name for name in files if name.endswith("hub.yaml")]) == 6
    assert any(name.endswith("pulumi/go.sum") for name in files)
    assert "govhub/_content/playbooks/roles/firewall/templates/nftables.conf.j2" in files
    assert files - names(wheel) == set()


def test_nothing_else_is_in_the_wheel(wheel: Path) -> None:
    strange = [name for name in names(wheel) if not name.startswith(("govhub/", "govhub-"))]
    strange += [name for name in names(wheel) if "__pycache__" in name or "/tests/" in name]
    assert strange == []
    assert "govhub/__init__.py" not in names(wheel)


def test_the_installed_package_validates_the_shipped_hubs_outside_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    done = run(installed, tmp_path, "python", "-c", VALIDATE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert (found["exit"], found["hubs"]) == (
        0,
        ["dazu", "huating", "jinzhou", "langfang", "yichang", "yichang-phase3"],
    )
    assert Path(found["from"]).is_relative_to(installed), "it is not the checkout that was tested"
    assert Path(found["content"]).is_relative_to(installed)


def test_the_installed_command_validates_and_plans_outside_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "govhub", "validate")
    assert done.returncode == 0, done.stderr
    assert "jinzhou" in done.stdout + done.stderr
    done = run(installed, tmp_path, "govhub", "plan", "huating", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["create"] > 100
