"""``capacity token``: a token for the page's token file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from govhub.monitoring.web.access.roles import Role
from govhub.monitoring.web.access.tokens import add_token


def admit(file: Path, *, name: str, role: str, tenant: str, until: date) -> str:
    """Make a token and keep its hash.

    Raises:
        InvalidInput: the file is damaged or open to others, or the entry makes no sense.
    """
    return add_token(file, name=name, role=Role(role), tenant=tenant, until=until)
