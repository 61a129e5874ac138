"""``plan --against``: another folder or a git revision, and nothing that a revision's name could smuggle in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.core.plan import Op
from govhub.ops.plan import make_plan
from govhub.ops.requests import PlanRequest, PlanResult
from govhub.ops.revision import hub_at

WEB = "replicas: 3, cpu: 250m"


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(folder: Path, home: Path) -> Path:
    """The hub's folder inside a git repository with one commit and a change after it."""
    top = folder.parents[1]
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "inventories")
    git(top, "commit", "-q", "-m", "start")
    edit(folder)
    return top


def edit(folder: Path) -> None:
    path = folder / "systems.yaml"
    text = path.read_text(encoding="utf-8")
    assert WEB in text
    path.write_text(text.replace(WEB, "replicas: 5, cpu: 250m"), encoding="utf-8")


def against(folder: Path, revision: str) -> PlanResult:
    return make_plan(PlanRequest(hub=str(folder), against=revision))


def code(folder: Path, revision: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        against(folder, revision)
    return caught.value.diagnostics[0].code


def expect_one_update(plan: PlanResult) -> None:
    changes = [(change.op, change.system, change.kind) for change in plan.plan.changes if change.kind == "Deployment"]
    assert changes == [(Op.UPDATE, "social-aid", "Deployment")]
    assert plan.plan.summary["create"] == plan.plan.summary["delete"] == 0


@pytest.mark.parametrize("revision", ["HEAD", "main", "HEAD~0", "main@{0}"])
def test_a_revision_shows_what_the_files_change(repository: Path, folder: Path, revision: str) -> None:
    expect_one_update(against(folder, revision))


def test_a_revision_that_starts_with_a_dash_is_a_revision(repository: Path, folder: Path) -> None:
    git(repository, "update-ref", "refs/tags/-dash", "HEAD")
    expect_one_update(against(folder, "-dash"))


@pytest.mark.parametrize("revision", ["--output=pwned", "--git-dir=/tmp", "-h", "--all", "--exec=touch pwned", "-"])
def test_a_revision_is_never_an_option(repository: Path, folder: Path, revision: str) -> None:
    assert code(folder, revision) == "REV003"
    assert not list(repository.rglob("pwned"))


@pytest.mark.parametrize(
    "revision", ["no-such", "HEAD~99", "x" * 5000, "a\nb", "HEAD:inventories", "HEAD..HEAD", " ", "HEAD^{tree}"]
)
def test_what_is_no_revision_is_refused_with_one_message(repository: Path, folder: Path, revision: str) -> None:
    assert code(folder, revision) == "REV003"


def test_a_hub_that_did_not_exist_then_is_all_new(repository: Path, folder: Path) -> None:
    new = folder.parent / "newcomer"
    shutil.copytree(folder, new)
    text = (new / "hub.yaml").read_text(encoding="utf-8")
    (new / "hub.yaml").write_text(text.replace("name: mini", "name: newcomer"), encoding="utf-8")
    plan = against(new, "HEAD").plan
    assert {change.op for change in plan.changes} == {Op.CREATE}
    assert plan.summary["create"] > 60


def test_the_working_tree_and_the_index_are_left_alone(repository: Path, folder: Path) -> None:
    before = git(repository, "status", "--porcelain=v2", "--branch")
    against(folder, "HEAD")
    assert git(repository, "status", "--porcelain=v2", "--branch") == before


@pytest.mark.parametrize("place", ["top", "inventories", "hub"])
def test_a_folder_may_be_the_checkout_its_inventories_or_the_hub(
    folder: Path, home: Path, tmp_path: Path, place: str
) -> None:
    other = tmp_path / "base" / "inventories" / "mini"
    shutil.copytree(folder, other)
    edit(folder)
    given = {"top": other.parents[1], "inventories": other.parent, "hub": other}[place]
    expect_one_update(against(folder, str(given)))


def test_a_folder_without_a_hub_is_refused(folder: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert code(folder, str(tmp_path / "empty")) == "REV001"


def test_outside_of_a_repository_only_folders_can_be_compared(folder: Path, home: Path) -> None:
    assert code(folder, "HEAD") == "REV002"


def test_a_machine_without_git_says_so(repository: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert code(folder, "HEAD") == "REV004"


def test_a_link_out_of_the_hub_in_that_revision_is_not_followed(repository: Path, folder: Path) -> None:
    (folder / "secrets.yaml").symlink_to("/etc/passwd")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "link")
    (folder / "secrets.yaml").unlink()
    assert code(folder, "HEAD") == "REV005"


def test_the_unpacked_revision_is_removed_again(repository: Path, folder: Path) -> None:
    with hub_at(folder, "HEAD") as found:
        assert found is not None
        assert (found / "hub.yaml").is_file()
    assert not found.exists()
