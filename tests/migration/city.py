"""A small hub with folders to move, and four people with SSH keys who may say go."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from govhub.inventory.model.migration import Party
from govhub.migration.itinerary.folders import FolderMove
from govhub.migration.portfolio.assess import Assessment, Verdict
from govhub.migration.portfolio.strategy import Suggestion
from govhub.ops.migration.approve import Approve, approve
from govhub.ops.migration.run import RunSystems, run_systems

MINI = Path(__file__).parents[1] / "hubs" / "mini"
SYSTEM = "school-enrolment"
PEOPLE = {
    "chen": ("department", "education"),
    "zhao": ("authority", None),
    "qian": ("provider", None),
    "sun": ("provider", None),
    "other-office": ("department", "civil-affairs"),
}
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def ready() -> Assessment:
    """What an assessment says of the system when nothing stands against it."""
    return Assessment(
        system=SYSTEM,
        tenant="education",
        decided=None,
        suggestion=Suggestion(None, ()),
        verdict=Verdict.READY,
        findings=(),
        estimate=None,
    )


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, time: datetime = START) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)


@dataclass
class City:
    """The hub's folder and what stands around it."""

    hub: Path
    data: Path
    keys: Path
    clock: Clock

    @property
    def source(self) -> Path:
        return self.data / "old" / "papers"

    @property
    def target(self) -> Path:
        return self.data / "new" / "papers"

    @property
    def live(self) -> Path:
        """What users open."""
        return FolderMove("papers", self.source, self.target).link

    def write(self, **values: Any) -> None:
        """Write the hub's section on migration anew; ``rules`` and ``migration`` are lines of YAML."""
        people = "".join(
            f"    - {{name: {name}, party: {party}, {of}key: {self.public(name)}}}\n"
            for name, (party, tenant) in PEOPLE.items()
            for of in (f"tenant: {tenant}, " if tenant else "",)
        )
        rules = values.get("rules", "trial_days: 30")
        extra = values.get("migration", "effort: 3")
        text = (
            f"migration:\n  {rules}\n  approval_hours: 72\n  approvers:\n{people}"
            "sources:\n  - {name: old-server, tenant: education, address: localhost}\n"
            f"migrations:\n  - system: {SYSTEM}\n    {extra}\n"
            "    window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}\n"
            "    moves:\n"
            f"      - {{name: papers, kind: files, source: old-server, path: {self.source}, to_path: {self.target}}}\n"
        )
        (self.hub / "migration.yaml").write_text(text, encoding="utf-8")

    def public(self, name: str) -> str:
        return (self.keys / f"{name}.pub").read_text(encoding="utf-8").strip()

    def run(self, itinerary: str = "", **more: Any) -> dict[str, Any]:
        """``migrate run`` of the system; what became of it."""
        request = RunSystems(hub=str(self.hub), systems=(SYSTEM,), itinerary=itinerary, clock=self.clock, **more)
        (result,) = run_systems(request)["systems"]
        return dict(result)

    def approve(self, name: str, **more: Any) -> dict[str, Any]:
        """``migrate approve`` by one of the people, for the party they belong to."""
        party = Party(more.pop("party", "") or PEOPLE[name][0])
        key = more.pop("key", self.keys / name)
        return approve(
            Approve(hub=str(self.hub), system=SYSTEM, party=party, name=name, key=key, clock=self.clock, **more)
        )

    def everybody_approves(self) -> None:
        for name in ("chen", "zhao", "qian"):
            self.approve(name)

    def files(self) -> dict[str, str]:
        """What users see."""
        root = self.live.resolve()
        return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def make_city(folder: Path) -> City:
    """Copy the small hub, add what moves, and make the keys."""
    hub = folder / "inventories" / "mini"
    shutil.copytree(MINI, hub)
    keys = folder / "keys"
    keys.mkdir()
    for name in PEOPLE:
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(keys / name)]
        subprocess.run(words, check=True)
    city = City(hub, folder / "data", keys, Clock())
    city.source.mkdir(parents=True)
    for number in range(5):
        (city.source / f"2026/{number:02}").mkdir(parents=True)
        (city.source / f"2026/{number:02}/form.txt").write_text(f"applicant {number}\n" * 50)
    (city.source / "index.txt").write_text("5 forms\n")
    city.write()
    return city


Act = Callable[[], dict[str, Any]]
