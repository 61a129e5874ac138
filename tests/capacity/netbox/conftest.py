"""A NetBox for each test: the small stand-in, and the real one with ``--slow``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.netbox import server, small
from govhub.cli import i18n
from govhub.core.secrets import Secret
from govhub.inventory.netbox.client import NetBox
from inventory.hubs import BASE, HERE, HubFolder


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(tmp_path / "hubs"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-01-15")
    i18n.use("en")


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    """The base hub with a power tree, devices and links."""
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "hubs" / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    return found


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the real NetBox, started once."""
    try:
        with server.running(tmp_path_factory.mktemp("netbox")) as found:
            yield found.url
    except server.Missing as error:
        pytest.skip(str(error))


@pytest.fixture(params=["small", pytest.param("real", marks=pytest.mark.slow)])
def netbox(request: pytest.FixtureRequest) -> Iterator[NetBox]:
    """An empty NetBox."""
    if request.param == "small":
        with small.running() as (url, _):
            yield NetBox(url, Secret(small.TOKEN))
        return
    client = NetBox(request.getfixturevalue("real"), Secret(server.TOKEN))
    clear(client)
    yield client


# In the order in which they let go of each other.
ALL = (
    "dcim/cables", "dcim/power-feeds", "dcim/power-panels", "dcim/devices", "dcim/racks", "dcim/locations",
    "circuits/circuits", "circuits/providers", "circuits/circuit-types", "dcim/sites", "dcim/regions",
    "dcim/device-types", "dcim/manufacturers", "dcim/device-roles", "extras/tags",
)  # fmt: skip


def clear(client: NetBox) -> None:
    """Take everything out of the real one that tests put in."""
    for path in ALL:
        ids = [item["id"] for item in client.all(path)]
        if path == "dcim/locations":
            # Deleting a parent takes its children along.
            ids = [item["id"] for item in client.all(path) if not item.get("parent")]
        list(client.delete(path, ids))


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The token, as operators keep it."""
    file = tmp_path / "token"
    file.write_text(small.TOKEN + "\n")
    file.chmod(0o600)
    return file
