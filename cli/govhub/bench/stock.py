"""The stock way, for comparison: the Automation API as documented, with the provider's and engine's defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi.automation import LocalWorkspace, ProjectSettings, PulumiCommand, Stack

from govhub.lab.toolchain import ENGINE, require
from govhub.stacks.components import PROVIDER_SDK_VERSION
from govhub.stacks.graph import DesiredObject, Identity


@dataclass(slots=True)
class StockEngine:
    """The same objects through ``create_or_select``, ``up`` and ``refresh`` with nothing tuned."""

    stack: Stack

    @classmethod
    def make(
        cls, objects: Iterable[DesiredObject], folder: Path, kubeconfig: Path, backend: str | None = None
    ) -> StockEngine:
        """A new stack in a folder of its own."""
        tools = require(ENGINE)
        (folder / "state").mkdir(parents=True, exist_ok=True)
        (folder / "work").mkdir(exist_ok=True)
        path = os.pathsep.join([str(item.parent) for item in tools.values()] + [os.environ["PATH"]])
        root = folder / "root" / "bin"
        root.mkdir(parents=True, exist_ok=True)
        link = root / "pulumi"
        if not link.exists():
            link.symlink_to(tools["pulumi"])
        workspace = LocalWorkspace(
            work_dir=str(folder / "work"),
            pulumi_home=str(folder / "home"),
            program=_program(list(objects)),
            env_vars={
                "PULUMI_BACKEND_URL": backend or f"file://{folder / 'state'}",
                "PULUMI_CONFIG_PASSPHRASE": "benchmark",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "KUBECONFIG": str(kubeconfig),
                "PATH": path,
            },
            secrets_provider="passphrase",
            project_settings=ProjectSettings(name="stock", runtime="python"),
            pulumi_command=PulumiCommand(root=str(folder / "root")),
        )
        return cls(Stack.create_or_select("stock", workspace))

    def up(self) -> None:
        """``pulumi up``."""
        self.stack.up()

    def preview(self) -> None:
        """``pulumi preview``."""
        self.stack.preview()

    def refresh(self) -> None:
        """``pulumi refresh``."""
        self.stack.refresh()

    def destroy(self) -> None:
        """``pulumi destroy``."""
        self.stack.destroy()


def _program(objects: list[DesiredObject]) -> Callable[[], None]:
    def run() -> None:
        options = pulumi.ResourceOptions(version=PROVIDER_SDK_VERSION)
        provider = pulumi.ProviderResource("kubernetes", "cluster", {}, options)
        made: dict[Identity, pulumi.Resource] = {}
        for item in objects:
            namespace = made.get(Identity("", "Namespace", "", item.identity.namespace))
            depends = [namespace] if namespace else []
            made[item.identity] = pulumi.CustomResource(
                item.token,
                item.resource_name,
                item.manifest,
                pulumi.ResourceOptions(provider=provider, depends_on=depends),
            )

    return run
