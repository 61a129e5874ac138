"""``python -m …reading FILE``: reads a packed dump of ``mariadb-dump`` through to its last line, and counts tables.

It runs where the dump lies, so it imports nothing of govhub's others.
"""

from __future__ import annotations

import gzip
import sys

_END = b"-- Dump completed"
_ROWS = b"INSERT INTO `"


def tables_in(path: str) -> set[bytes]:
    """Names of tables with rows, as they are quoted.

    Raises:
        ValueError: it cannot be unpacked, or was cut off.
    """
    tables: set[bytes] = set()
    last = b""
    try:
        with gzip.open(path) as lines:
            # Line ends of values are escaped in a dump, so a line that begins so is a statement.
            for line in lines:
                if line.startswith(_ROWS):
                    tables.add(line[len(_ROWS) : line.index(b"`", len(_ROWS))])
                last = line if line.strip() else last
    except (OSError, EOFError) as error:
        raise ValueError(f"it cannot be read through: {error}") from error
    if not last.startswith(_END):
        raise ValueError(f"it is cut off: its last line is no `{_END.decode()}`")
    return tables


if __name__ == "__main__":
    try:
        print(len(tables_in(sys.argv[1])))  # noqa: T201 - what the other end reads
    except ValueError as error:
        sys.exit(f"error: {error}")
