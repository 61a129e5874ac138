"""Kubernetes quantities: ``500m`` cores, ``512Gi`` bytes, ``1T``.

The grammar is that of k8s.io/apimachinery/pkg/api/resource: a decimal number and a binary
(Ki..Ei), decimal (n, u, m, k..E) or exponent suffix.
"""

from __future__ import annotations

import re
from decimal import Decimal

_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
}
_FACTORS = _BINARY | _DECIMAL
PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,9})?([KMGTPE]i|[numkMGTPE])?$"
_QUANTITY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGTPE]i|[numkMGTPE]?)")
GIB = 1024**3


def parse_quantity(text: str | int | float) -> Decimal:
    """The value of a quantity in its base unit (cores or bytes).

    Raises:
        ValueError: ``text`` is not a non-negative quantity.
    """
    match = _QUANTITY.fullmatch(str(text).strip())
    if not match:
        raise ValueError(f'"{str(text)[:40]}" is not a quantity; write it like 500m, 4, 512Mi or 2Ti')
    return Decimal(match[1]) * _FACTORS[match[2]]


def millicores(text: str | int | float) -> int:
    """CPU in thousandths of a core, rounded up as the API server does."""
    value = parse_quantity(text) * 1000
    return int(value.to_integral_value(rounding="ROUND_CEILING"))


def bytes_of(text: str | int | float) -> int:
    """Memory or storage in bytes, rounded up."""
    return int(parse_quantity(text).to_integral_value(rounding="ROUND_CEILING"))


def same_quantity(left: object, right: object) -> bool:
    """Whether two spellings mean the same amount (``1`` and ``1000m``): API servers rewrite quantities."""
    try:
        return parse_quantity(str(left)) == parse_quantity(str(right))
    except ValueError:
        return False


def format_cores(milli: int) -> str:
    """Millicores as a Kubernetes quantity: ``1500m`` or ``2``."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def format_bytes(count: int) -> str:
    """Bytes as the largest binary unit that divides them."""
    for suffix, factor in reversed(_BINARY.items()):
        if count and count % int(factor) == 0:
            return f"{count // int(factor)}{suffix}"
    return str(count)
