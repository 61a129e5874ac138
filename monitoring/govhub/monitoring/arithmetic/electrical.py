"""Volts, amperes and watts of feeds and elements."""

from __future__ import annotations

from math import sqrt

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats


def single_phase_watts(volts: float, amps: float, power_factor: float = 1.0) -> float:
    """Real power in W of one phase against neutral: P = U · I · cos φ (IEC 60050-131-11-42)."""
    return volts * amps * power_factor


def three_phase_watts(volts: float, amps: float, power_factor: float = 1.0) -> float:
    """Real power in W of a balanced three-phase load: P = √3 · U · I · cos φ, with U between two phases (IEC 60909)."""
    return sqrt(3) * volts * amps * power_factor


def apparent_to_real(kva: float, power_factor: float) -> float:
    """W of a rating in kVA: P = S · cos φ (IEC 60050-131-11-46)."""
    return kva * 1000 * power_factor


def imbalance(phases: Floats) -> Floats:
    """Unbalance of each row's three phases, 0 to 2: the largest deviation from the mean, by the mean.

    The form of NEMA MG 1, 14.36, applied to loads. NaN where there is no load: nothing is not balanced.

    Args:
        phases: array of shape ``(n, 3)``, W on L1, L2, L3.
    """
    deviation, mean = unbalance(phases)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean > 0, deviation / mean, np.nan)


def unbalance(phases: Floats) -> tuple[Floats, Floats]:
    """The two sides of ``imbalance`` of each row: the largest deviation from the mean of its phases, and the mean."""
    mean = phases.mean(axis=1)
    return np.abs(phases - mean[:, None]).max(axis=1, initial=0.0), mean


def neutral_amps(amps: Floats) -> Floats:
    """Current in the neutral of each row, in A, of linear loads: √(a² + b² + c² − ab − bc − ca).

    The length of the sum of three phasors 120° apart; harmonics of the third order come on top.

    Args:
        amps: array of shape ``(n, 3)``.
    """
    a, b, c = amps.T
    out: Floats = np.sqrt(np.maximum(a * a + b * b + c * c - a * b - b * c - c * a, 0.0))
    return out
