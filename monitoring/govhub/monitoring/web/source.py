"""What the page is about: documents that somebody makes, and that are cheap to ask for again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from govhub.monitoring.halls import Halls
from govhub.monitoring.placing.place import Order

Document = dict[str, Any]
SCHEMA = "govhub.capacity/1"
MAX_SERVERS = 100_000
"""Machines of one what-if: placing takes seconds where so many find room."""
MAX_LOST = 100
"""Parts that one what-if loses, those counted that patterns stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody wants to try on the hub as it is."""

    servers: int = 0
    type: str = ""
    """A device type, a pool or a host of the hub, or a built-in size; the usual server when empty."""
    place: str = ""
    """Racks that are asked; all when empty."""
    order: str = Order.SPREAD.value
    lose: tuple[str, ...] = ()
    """Addresses and names, and patterns of them."""

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.servers or self.lose)


class Source(Protocol):
    """Where figures come from; every document has ``schema`` and ``hub``, and what is unknown in it is None.

    Documents are made by ``refresh`` and handed out as they are: the application calls it in a thread, again and
    again, and asks for documents from its event loop. Nobody changes them.
    """

    @property
    def hub(self) -> str:
        """The hub's name."""

    @property
    def version(self) -> str:
        """Changes whenever a document may have changed."""

    def refresh(self) -> None:
        """Look anew. What cannot be read any more stays as it was last, and ``status`` says so; nothing is raised."""

    def status(self) -> Document:
        """``as_of`` and ``loaded`` (Unix time), ``valid`` (the files as they are now), ``problems``, ``live``.

        ``live`` has ``state`` (``none``, ``ok``, ``partial``, ``down``), ``age_seconds`` and ``coverage``.
        """

    def halls(self) -> Halls:
        """The arithmetic that all of this is made of."""

    def overview(self) -> Document:
        """What ``capacity show`` tells."""

    def racks(self, place: str, sort: str, limit: int, offset: int) -> Document | None:
        """Rows of a place's racks and ``count``; None when there is no such place."""

    def rack(self, address: str) -> Document | None:
        """One rack with its machines and feeds; None when there is no such rack."""

    def power(self, hall: str) -> Document | None:
        """The power tree of a hall; None when there is no such hall."""

    def network(self) -> Document:
        """Layers, links and lines that leave."""

    def departments(self) -> Document:
        """Quota, requests, usage and watts of each."""

    def forecast(self) -> Document:
        """As ``capacity forecast``, of halls and above, each with ``history``: a value a day up to ``as_of``."""

    def alerts(self) -> Document:
        """``state`` (``ok``, ``down``, ``none``) and ``alerts`` that are pending or firing."""

    def what_if(self, question: Question) -> Document:
        """What ``capacity what-if`` tells; worked out anew, for up to seconds, so it is called in a thread.

        Raises:
            InvalidInput: the type, the place or a lost part is not in the hub.
        """

    def compare(self, before: Document | str) -> Document:
        """Differences from another review, or from a revision of the hub's files, to now.

        Raises:
            InvalidInput: it is no review, or there is no such revision.
        """
