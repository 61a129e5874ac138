"""For all tests: nothing of this user's machine leaks in, and nothing leaks out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from govhub.core.settings import Env, cache

_VARIABLES = [value for name, value in vars(Env).items() if not name.startswith("_")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the long form of proofs (many kills, growth)")


def pytest_configure(config: pytest.Config) -> None:
    # The Automation API leaves one event loop, with its pair of sockets, behind after each engine run.
    for message in ("unclosed event loop", "unclosed <socket.socket fd=[0-9]+, family=1,"):
        config.addinivalue_line("filterwarnings", f"ignore:{message}:ResourceWarning")


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Who shares a process: what has the machine's one network of hosts, what has clusters, and each other module."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    path = Path(nodeid.partition("::")[0])
    folder = path.parts[1]
    if path.parent.name in ("hosts", "portfolio") and path.stem.endswith(("_live", "_kills")):
        return "1-hosts"
    if path.parent.name == "story" and path.stem.endswith("_live"):
        return "1-hosts"
    return "2-clusters" if folder in ("live", "faults") else f"3-{path}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Groups:
    """For ``./hub test``, which shares the tests out between processes."""
    return _Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What takes long is begun first.
    items.sort(key=lambda item: _group(item.nodeid))
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="the long form; run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of our own; one for the session, because labs live longer than a test."""
    patch = pytest.MonkeyPatch()
    # What can be built again stays where it is: the toolchain takes ten minutes to build.
    toolchain, user = cache(), Path.home()
    for variable, folder in (("GOCACHE", ".cache/go-build"), ("GOMODCACHE", "go/pkg/mod")):
        if variable not in os.environ:
            patch.setenv(variable, str(user / folder))
    for variable in [*_VARIABLES, "COLUMNS", "NO_COLOR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "KUBECONFIG"]:
        patch.delenv(variable, raising=False)
    for variable in [name for name in os.environ if name.startswith(("GOVHUB_KUBECONFIG_", "PULUMI_"))]:
        patch.delenv(variable)
    base = tmp_path_factory.mktemp("isolated")
    patch.setenv("HOME", str(base))
    patch.setenv(Env.HOME, str(base / "govhub"))
    patch.setenv(Env.CACHE, str(toolchain))
    patch.setenv(Env.ACTOR, "tester")
    patch.setenv("COLUMNS", "120")
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Tester")
        patch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    yield
    patch.undo()
