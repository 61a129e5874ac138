"""What may not be on this cloud, where images come from, and files that must not be in the hub folder."""

from __future__ import annotations

import os
from pathlib import Path as FilePath

from govhub.core.text import and_more
from govhub.inventory.checks.report import Report
from govhub.inventory.model.tenancy import Workload
from govhub.inventory.topology import Path

HIGHEST_LEVEL = 3


def check(report: Report) -> None:
    """SEC001 classified, SEC002 protection level, SEC003 and SEC004 images, SEC005 to SEC007 files."""
    for position, system in enumerate(report.model.systems):
        where: Path = ("systems", position)
        if system.classified:
            summary = f'the system "{system.name}" is classified; it may not be on the government cloud'
            hint = "take it out of this hub: state secrets stay on networks of their own"
            report.error("SEC001", (*where, "classified"), summary, hint=hint)
        if system.protection_level > HIGHEST_LEVEL:
            summary = f'the system "{system.name}" has protection level {system.protection_level} of GB/T 22239'
            hint = f"this cloud carries levels 1 to {HIGHEST_LEVEL}; keep the system where it is, or correct the level"
            report.error("SEC002", (*where, "protection_level"), summary, hint=hint)
    for owner_path, owner in report.index.owners():
        for position, workload in enumerate(owner.workloads):
            _image(report, (*owner_path, "workloads", position, "image"), workload)
        for position, secret in enumerate(owner.secrets):
            if secret.file is not None:
                _outside(report, "SEC005", (*owner_path, "secrets", position, "file"), secret.file, "the secret's file")
    for position, cluster in enumerate(report.model.clusters):
        if cluster.kubeconfig:
            path: Path = ("clusters", position, "kubeconfig", "path")
            _outside(report, "SEC006", path, cluster.kubeconfig.path, "the kubeconfig")


def _image(report: Report, path: Path, workload: Workload) -> None:
    image, registries = workload.image, report.model.hub.registries
    # ".." would leave the registry's folder after its prefix has matched.
    if not image.startswith(tuple(registries)) or ".." in image.split("/"):
        hint = f"push it to one of the hub's registries: {and_more(registries)}"
        report.error("SEC003", path, f'the image "{image}" is not from a registry of this hub', hint=hint)
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    if not digest and tag in ("", "latest"):
        found = 'the tag "latest"' if tag else "no tag"
        summary = f'the image "{image}" has {found}; nobody could say what runs, or go back to it'
        report.error("SEC004", path, summary, hint="name a version, such as :1.4.2, or a digest (@sha256:...)")


def _outside(report: Report, code: str, path: Path, text: str, what: str) -> None:
    """Relative paths start at the hub folder; links are followed as far as they exist on this machine."""
    folder = report.hub.folder.resolve()
    try:
        place = (folder / FilePath(os.path.expandvars(text)).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        report.error("SEC007", path, f"{what} has no usable path: {error}", hint="write a path such as ~/secrets/db")
        return
    if place.is_relative_to(folder):
        summary = f"{what} lies in the hub folder, where it would be committed and read by everybody"
        report.error(code, path, summary, hint="move it out, to a folder of mode 700, and change the path")
