"""Ansible inventory plugin: a hub folder as an inventory, with no other command in between."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import trust_as_template

DOCUMENTATION = r"""
name: govhub
short_description: Hosts of a govhub hub
description:
  - Reads a hub folder, such as C(inventories/huating), and gives its hosts with their groups and variables.
  - Hosts are those that can be reached, the lab's while it runs, else those with an address in the hub.
options:
  plugin:
    description: Not needed; a hub folder is recognised by its C(hub.yaml).
    type: str
"""


class InventoryModule(BaseInventoryPlugin):
    """Gives the hosts of the hub whose folder holds the file."""

    NAME = "govhub"

    def verify_file(self, path: str) -> bool:
        """Every YAML file of a hub folder is ours; the hub is read once, with its ``hub.yaml``."""
        file = Path(path)
        return file.suffix == ".yaml" and (file.parent / "hub.yaml").is_file()

    def parse(self, inventory, loader, path, cache=True):  # type: ignore[no-untyped-def]  # the parent's signature
        """Add hosts, groups and variables."""
        super().parse(inventory, loader, path, cache)
        if Path(path).name != "hub.yaml":
            return
        from govhub.core.errors import GovhubError
        from govhub.hosts.reach import reaches
        from govhub.hosts.variables import declared_hosts
        from govhub.inventory.loader import load

        loaded = load(Path(path).parent)
        if loaded.hub is None:
            problems = "; ".join(str(item) for item in loaded.problems.errors[:3])
            raise AnsibleParserError(f"the hub is not valid: {problems}")
        try:
            hosts = declared_hosts(loaded.hub, reaches(loaded.hub))
        except GovhubError as error:
            raise AnsibleParserError(str(error)) from error
        for host in hosts.values():
            inventory.add_host(host.name)
            for group in host.groups:
                inventory.add_group(group)
                inventory.add_child(group, host.name)
            for key, value in {**host.variables, **host.connection}.items():
                inventory.set_variable(host.name, key, _plain(value))


def _plain(value: Any) -> Any:
    """Our own expressions are templates; text that cannot be one is trusted, and listed plainly; the rest is data."""
    from govhub.hosts.expressions import Expression, is_template

    if isinstance(value, str):
        ours = isinstance(value, Expression) or not is_template(value)
        return trust_as_template(str(value)) if ours else value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
