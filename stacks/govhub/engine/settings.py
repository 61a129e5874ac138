"""What an engine run needs to know; apart from the engine's libraries, which take memory and time to load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PARALLEL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Everything an engine run needs that does not depend on the shard."""

    pulumi: Path
    provider: Path
    version: str
    backend: str
    passphrase_file: Path
    home: Path
    work: Path
    checkpoints: bool = False
    """Stock behaviour, for comparison in benchmarks."""
    timeout: float = 3600.0
    parallel: int = PARALLEL
