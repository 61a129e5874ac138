"""The process that makes the forecast of ``serve``: it holds no request up, and its libraries go with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from dataclasses import dataclass
from math import isnan
from multiprocessing.connection import Connection
from typing import Any

from govhub.core.errors import GovhubError
from govhub.ops.capacity.serving import Foreseen

LOWER = 10
"""How much further back than the server it stands in line for the processor."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no forecast."""

    summary: str
    problems: tuple[dict[str, Any], ...] = ()
    """The diagnostics behind it."""


def child(hub: str, answer: Connection) -> None:
    """Send a ``Foreseen`` or a ``Failure``; ends with the process that waits for it, whatever ends that."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(LOWER)
    found = _answer(hub)
    # Nobody waits for it any more: then the server has just ended.
    with contextlib.suppress(OSError):
        answer.send(found)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(hub: str) -> Foreseen | Failure:
    try:
        return foreseen(hub)
    except GovhubError as error:
        return Failure(error.diagnostics[0].summary, tuple(item.as_dict() for item in error.diagnostics))
    except Exception as error:  # noqa: BLE001 -- whatever it is, the server tells it
        return Failure(f"{type(error).__name__}: {error}"[:200])


def foreseen(hub: str) -> Foreseen:
    """The forecast of a hub by name or folder, of halls and above; racks are left to the command.

    Raises:
        InvalidInput: the hub is not valid.
        PolicyViolation: its quotas do not fit.
        OSError: the history cannot be read.
    """
    # Here alone: they bring polars, of which the server that starts this process is to know nothing.
    from govhub.monitoring.forecast.figures import LEVELS, figures
    from govhub.ops.capacity.days import zone_of
    from govhub.ops.capacity.forecast import ForecastRequest, document, outlooks_of
    from govhub.ops.capacity.places import columns_of

    columns = columns_of(hub)
    request = ForecastRequest(hub=hub)
    found = outlooks_of(columns, request)
    told = document(columns, found, request)
    wanted = []
    for item, row in zip(found.places, told["forecasts"], strict=True):
        if item.level in LEVELS:
            days = [] if item.values is None else item.values.tolist()
            wanted.append(row | {"history": [None if isnan(day) else round(day, 1) for day in days]})
    return Foreseen({**told, "forecasts": wanted, "racks": []}, figures(found.places, zone_of(columns)))
