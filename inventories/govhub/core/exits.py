"""Exit codes of the command line; CI pipelines script against them."""

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller; documented in the README."""

    OK = 0
    FAILED = 1
    CHANGES = 2
    INVALID = 3
    POLICY = 4
    LOCKED = 5
    MISSING_TOOL = 6
    UNREACHABLE = 7
    USAGE = 64
    INTERRUPTED = 130
