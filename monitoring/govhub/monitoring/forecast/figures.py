"""A forecast as the exporter's figures, a label being empty above its level.

What is not known, or not said, is None and gets no sample; only the days of history may be 0. The error of the
back-test is the scaled one (MASE).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from govhub.monitoring.forecast.days import ends
from govhub.monitoring.forecast.outlook import Outlook
from govhub.monitoring.metrics.wholes import Forecast

LEVELS = ("hub", "site", "hall")
QUANTILES = ("0.1", "0.5", "0.9")


def figures(outlooks: Iterable[Outlook], zone: ZoneInfo) -> list[Forecast]:
    """Those of the hub, its sites and halls. A day stands for its beginning in the hub's time zone."""
    out = []
    for item in outlooks:
        if item.level in LEVELS:
            site, _, hall = item.place.partition("/")
            days = [_begins(day, zone) if day else None for day in item.exhaustion]
            out.append(
                Forecast(
                    site=site,
                    hall=hall,
                    resource=item.resource,
                    exhaustion=dict(zip(QUANTILES, days, strict=True)),
                    order_by=_begins(item.order_by, zone) if item.order_by else None,
                    backtest_error=item.mase,
                    history_days=float(item.days),
                )
            )
    return out


def _begins(day: date, zone: ZoneInfo) -> float:
    return ends(date.fromordinal(day.toordinal() - 1), zone)
