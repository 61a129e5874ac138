"""What the benchmark of the governor finds is what happened."""

from __future__ import annotations

import pytest

from govhub.bench.governor import REACTION, Seen, governed, judged
from govhub.lab.postgres import binaries


def seen(*looks: tuple[float, int, int]) -> list[Seen]:
    return [Seen(at, 6, ours, given) for at, ours, given in looks]


def test_who_goes_on_while_others_work_is_found() -> None:
    burst = [(10.0, 20.0)]
    good = seen((9.0, 2, 0), (10.0, 2, 100), (10.2, 1, 120), (10.4, 0, 120), (15.0, 0, 120), (21.0, 2, 300))
    longest, *rest = judged(good, burst)
    assert longest == pytest.approx(0.2)
    assert rest == [0, 280, 0]
    bad = seen((9.0, 2, 0), (10.1, 2, 100), (12.0, 1, 150), (13.0, 1, 200), (19.0, 0, 200))
    longest, most, _, busy = judged(bad, burst)
    assert longest == pytest.approx(3.0)
    assert (most, busy) == (1, 50)


@pytest.mark.slow
@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_a_small_copy_keeps_under_its_governor() -> None:
    pause, load = governed(1, megabytes=60, bandwidth=10 << 20)
    assert load.ours == [0]
    assert pause.ours[0] <= 2 * REACTION, "twice: other tests may be at work on this machine"
