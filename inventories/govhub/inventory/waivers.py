"""Waivers that are there for nothing, whatever they are of."""

from __future__ import annotations

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import ExceptionEntry


def unneeded(hub: Hub, index: int, entry: ExceptionEntry, detail: str) -> Diagnostic:
    """POL002 of an entry of ``exceptions``; ``detail`` says what is not there to be waived."""
    return Diagnostic(
        code="POL002",
        severity=Severity.WARNING,
        summary=f'the waiver "{entry.name}" waives nothing',
        detail=detail,
        address=f"exceptions.{entry.name}",
        source=hub.at("exceptions", index),
        hint="remove it, so that the next deviation is asked for again",
    )
