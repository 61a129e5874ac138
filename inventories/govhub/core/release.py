"""Which govhub this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The installed version; 0 where govhub is not installed."""
    try:
        return version("govhub")
    except PackageNotFoundError:
        return "0"
