"""Ports against their speed, and devices that went silent."""

from __future__ import annotations

from govhub.monitoring.rules.alerts.places import Examples, place_of
from govhub.monitoring.rules.contract import PORT
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.promql import Query, on, ratio
from govhub.monitoring.rules.spec import Alert, Owner, Series, Severity

SPEED = "govhub_meter_port_speed_bits_per_second"
_WAYS = ("receive", "transmit")


def network_alerts(query: Query, limits: Limits) -> list[Alert]:
    """All of ports and devices."""
    port = Examples(query.hub).port
    device = {name: value for name, value in port.items() if name != "port"}
    speed = Series(SPEED, port, "1000000000")
    names = ("hub", "site", "device")

    def fuller(window: str) -> str:
        """The fuller of a port's two directions."""
        ways = [query.one(f"port:govhub_{way}_bits_per_second:{window}", PORT) for way in _WAYS]
        return (
            f'max by ({", ".join(PORT)}) (\n  label_replace({ways[0]}, "way", "receive", "", "")\n  or\n  {ways[1]}\n)'
        )

    def carried(window: str, gigabits: float) -> tuple[Series, ...]:
        return (speed, Series(f"port:govhub_transmit_bits_per_second:{window}", port, f"{gigabits * 1e9:.0f}"))

    return [
        Alert(
            name="GovhubPortTrafficHigh",
            expr=f"{ratio(fuller('p95_1d'), query.one(SPEED, PORT))}\n> {limits.traffic}",
            hold=60,
            severity=Severity.WARNING,
            owner=Owner.NETWORK,
            labels=place_of(port),
            fires=carried("p95_1d", limits.traffic + 0.1),
            quiet=carried("p95_1d", limits.traffic),
            shown=f"{(limits.traffic + 0.1) * 100:.4g}%",
        ),
        Alert(
            name="GovhubPortSaturated",
            expr=f"{ratio(fuller('rate5m'), query.one(SPEED, PORT))}\n> 0.95",
            hold=15,
            severity=Severity.CRITICAL,
            owner=Owner.NETWORK,
            labels=place_of(port),
            fires=carried("rate5m", 0.98),
            quiet=carried("rate5m", 0.95),
            shown="98%",
            softer="GovhubPortTrafficHigh",
        ),
        Alert(
            name="GovhubDeviceSilent",
            expr=(
                f"count by ({', '.join(names)}) (last_over_time({query.select(SPEED)}[1d]))\n"
                f"unless {on(*names)}\ncount by ({', '.join(names)}) ({query.select(SPEED)})"
            ),
            hold=5,
            severity=Severity.CRITICAL,
            owner=Owner.NETWORK,
            labels=place_of(device),
            # Two samples, then nothing: five minutes later the last one counts no more.
            fires=(Series(SPEED, port, "1000000000 1000000000 _x90"),),
            quiet=(speed,),
            since=7,
        ),
    ]
