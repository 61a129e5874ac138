"""PUE by category and the share of renewable energy, from meters."""

from __future__ import annotations

from govhub.monitoring.arithmetic.figure import Figure

CATEGORIES = {1: "UPS outputs", 2: "PDU outputs", 3: "inputs of the machines"}
"""Where the energy of IT is metered, by the category of ISO/IEC 30134-2; higher is nearer to the machines."""


def pue(total_kwh: float | None, it_kwh: float | None, *, age: float | None = None) -> Figure:
    """Power usage effectiveness: energy of the data center by energy of IT, over the same time.

    ISO/IEC 30134-2:2016 and GB/T 32910.3-2016. A year counts as PUE; a shorter time is an interim PUE (iPUE). The
    category (``CATEGORIES``) says where IT was metered, and figures of two categories are not compared.

    Raises:
        ValueError: IT took more than all, or one is negative: a meter is wrong.
    """
    if total_kwh is None or it_kwh is None:
        return Figure(unit="kWh", numerator=total_kwh, denominator=it_kwh, known=0, parts=1, age=age)
    if it_kwh < 0 or total_kwh < it_kwh:
        raise ValueError(f"a meter is wrong: IT {it_kwh:g} kWh of {total_kwh:g} kWh")
    return Figure(unit="kWh", numerator=total_kwh, denominator=it_kwh, known=1, parts=1, age=age)


def green_share(renewable_kwh: float | None, total_kwh: float | None, *, age: float | None = None) -> Figure:
    """Renewable energy factor: renewable energy that is owned or certified, by all energy (ISO/IEC 30134-3:2016).

    Raises:
        ValueError: more than all is renewable, or one is negative.
    """
    if renewable_kwh is None or total_kwh is None:
        return Figure(unit="kWh", numerator=renewable_kwh, denominator=total_kwh, known=0, parts=1, age=age)
    if renewable_kwh < 0 or total_kwh < renewable_kwh:
        raise ValueError(f"a meter is wrong: {renewable_kwh:g} kWh renewable of {total_kwh:g} kWh")
    return Figure(unit="kWh", numerator=renewable_kwh, denominator=total_kwh, known=1, parts=1, age=age)
