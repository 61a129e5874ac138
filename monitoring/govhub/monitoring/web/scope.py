"""What a department sees: the rows that are its own."""

from __future__ import annotations

from govhub.monitoring.web.access.roles import Role, Visitor
from govhub.monitoring.web.source import Document

_ROWS = "departments"


def narrowed(document: Document, visitor: Visitor) -> Document:
    """A document of departments as ``visitor`` may see it: all rows for operators, the own one for a department.

    Only the rows and what says nothing about others go over: a key that is added later is not seen before somebody
    has thought about it here.
    """
    if visitor.role is Role.OPERATOR:
        return document
    kept = {key: document[key] for key in ("schema", "hub", "source") if key in document}
    own = [row for row in document[_ROWS] if visitor.role is Role.DEPARTMENT and row["tenant"] == visitor.tenant]
    return kept | {_ROWS: own}
