"""Where systems run today, what of them moves, and what the moves have to respect."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from govhub.inventory.model.common import Assumable, Name, Part, Port, Quantity, ShortName

PATH = r"^(/[A-Za-z0-9._@+-]+)+$"
KEY = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
DATABASE = r"^[A-Za-z_][A-Za-z0-9_$-]*$"
ADDRESS = r"^[a-zA-Z0-9][a-zA-Z0-9.:-]*$"
SSH_KEY = r"^(ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]+( [^\n]*)?$"
DAY = r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class SourceLimits(Part):
    """What moves may take of a server that people work with; what is not given has no limit."""

    parallel: int | None = Field(default=None, ge=1, le=64)
    """Tables, or shards of files, that are copied at the same time; 2 when not given."""
    bandwidth: Quantity | None = None
    """Bytes a second of copies, such as 20Mi; systems that move from one server share it in equal parts."""
    active_sessions: int | None = Field(default=None, ge=0, le=100_000)
    """While more sessions of others than these are at work on a database server, copies from it pause."""
    pressure: float | None = Field(default=None, ge=0, le=100)
    """While work on a server waits for its disk more than this percent of the time, no further piece of a file tree is
    copied."""
    retained: Quantity | None = None
    """Bytes of log that a server may hold back for a move; beyond half of its free room, no move goes anyway."""


class Source(Assumable):
    """A server in a department's machine room, on which systems run today; it is read, never configured."""

    name: Name
    tenant: Name
    """The department whose server it is."""
    address: Annotated[str, Field(pattern=ADDRESS, max_length=120)] | None = None
    """Where SSH answers; without it the source cannot be reached, unless the lab plays it."""
    login: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$", max_length=32)] = "govhub"
    """The account to log in with; it may use sudo."""
    lab: bool = False
    """Booted as a real host in the lab."""
    rack: Annotated[str, Field(max_length=200)] | None = None
    """The hub's rack that it stands in, as site/hall/row/rack; a server in a department's own room has none."""
    units: int = Field(default=2, ge=1, le=20)
    """Height in rack units."""
    watts: int = Field(default=800, ge=10, le=20_000)
    """Rated power, in W."""
    kg: float = Field(default=30, gt=0, le=500)
    """Weight, in kg."""
    limits: SourceLimits = SourceLimits()
    """What moves may take of this server; what is not given here is as `migration.limits` says."""
    retired: date | None = None
    """The day on which it left; it holds neither rack, nor power, nor address since."""

    @model_validator(mode="after")
    def _gone_is_gone(self) -> Source:
        if self.retired and (self.rack or self.address or self.lab):
            raise ValueError("a retired source has no rack, no address, and is not in the lab")
        return self


class MoveKind(StrEnum):
    """What moves, and so how."""

    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"
    FILES = "files"
    APPLICATION = "application"

    @property
    def is_database(self) -> bool:
        """Whether it is the data of a database server."""
        return self in (MoveKind.POSTGRESQL, MoveKind.MARIADB)


class Settings(Part):
    """Where an application that stays on its server is told which database server it uses."""

    file: Annotated[str, Field(pattern=PATH, max_length=300)]
    """Lines such as `KEY=value` or `key: value`."""
    host: Annotated[str, Field(pattern=KEY, max_length=100)]
    """The key whose value is the database server's address."""
    port: Annotated[str, Field(pattern=KEY, max_length=100)] | None = None
    """The key whose value is its port, where there is one."""
    move: ShortName | None = None
    """Which of the system's databases is meant; needed where several move."""


class Move(Part):
    """One part of a system that moves: a database, a file tree, or the application itself."""

    name: ShortName
    kind: MoveKind
    source: Name
    """The server it is on today."""
    size: Quantity | None = None
    """Bytes, such as 40Gi; unknown when not given, until it was discovered."""
    database: Annotated[str, Field(pattern=DATABASE, max_length=63)] | None = None
    """The database's name on the source."""
    port: Port | None = None
    """The port of the source's server; the engine's usual one when not given."""
    method: Literal["dump"] | None = None
    """`dump`: rows are copied while nobody writes; for small PostgreSQL databases and servers that cannot publish."""
    replica_identity: Literal["full"] | None = None
    """`full`: PostgreSQL's tables without a key may be given REPLICA IDENTITY FULL for the time of the move."""
    path: Annotated[str, Field(pattern=PATH, max_length=300)] | None = None
    """The folder on the source; for files."""
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]+$", max_length=100)] | None = None
    """The systemd unit that writes; stopping it stops writes. For an application."""
    settings: Settings | None = None
    """For an application that stays where it is: what is rewritten when its database switches, and put back."""
    to: Name | None = None
    """The server under `databases`, the host for files, or the system's workload that it moves to."""
    to_database: Annotated[str, Field(pattern=DATABASE, max_length=63)] | None = None
    """The database's name on the target; as on the source when not given."""
    to_path: Annotated[str, Field(pattern=PATH, max_length=300)] | None = None
    """The folder on the target; as on the source when not given."""

    @model_validator(mode="after")
    def _what_the_kind_needs(self) -> Move:
        needed = "database" if self.kind.is_database else "path" if self.kind is MoveKind.FILES else "unit"
        for name in ("database", "path", "unit"):
            if (getattr(self, name) is not None) != (name == needed):
                raise ValueError(f"a move of kind {self.kind} has `{needed}`, and neither of the other two")
        for name in ("method", "replica_identity"):
            if getattr(self, name) is not None and self.kind is not MoveKind.POSTGRESQL:
                raise ValueError(f"`{name}` is for a move of kind postgresql")
        if self.settings and (self.kind is not MoveKind.APPLICATION or self.to is not None):
            raise ValueError("`settings` are those of an application that stays on its server, without `to`")
        return self

    @model_serializer(mode="wrap")
    def _as_before_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Approvals are bound to the digest of this: a new option that nobody uses must not void them."""
        out: dict[str, Any] = handler(self)
        for name in ("method", "replica_identity", "settings"):
            if getattr(self, name) is None:
                out.pop(name, None)
        return out


class DependencyKind(StrEnum):
    """What ties a system to another."""

    DATA = "data"
    SERVER = "server"
    CALL = "call"


class Dependency(Part):
    """Another system that this one needs."""

    system: Name
    kind: DependencyKind
    strong: bool = False
    """Strongly tied systems move in one wave; weak ties only say which goes first."""


class Window(Part):
    """When a cutover may begin, and how long it may take."""

    days: list[Annotated[str, Field(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)$")]] = Field(
        default=["fri", "sat"], min_length=1
    )
    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "22:00"
    """In the hub's time zone."""
    minutes: int = Field(default=240, ge=1, le=4320)


class Busy(Part):
    """Days of every year on which a system is not touched, such as the weeks of enrolment."""

    first: Annotated[str, Field(pattern=DAY)]
    """Month and day, such as 08-15; the first after the last runs over the new year."""
    last: Annotated[str, Field(pattern=DAY)]
    reason: str = Field(min_length=2, max_length=200)


class Strategy(StrEnum):
    """What becomes of a system."""

    REHOST = "rehost"
    REPLATFORM = "replatform"
    RETAIN = "retain"
    RETIRE = "retire"


class Migration(Assumable):
    """How one departmental system comes onto the cloud."""

    system: Name
    strategy: Strategy | None = None
    """Decided by people; without it the assessment suggests one."""
    moves: list[Move] = []
    depends_on: list[Dependency] = []
    window: Window = Window()
    busy: list[Busy] = []
    not_before: date | None = None
    not_after: date | None = None
    effort: float | None = Field(default=None, gt=0, le=1000)
    """Person-days; estimated from tier and moves when not given."""
    trial_days: Annotated[float, Field(ge=0, le=365)] | None = None
    """Days of trial run that differ from the rule."""

    @property
    def staying(self) -> Strategy | None:
        """The strategy, where people decided that the system does not move."""
        return self.strategy if self.strategy in (Strategy.RETAIN, Strategy.RETIRE) else None


class Team(Part):
    """People who move systems."""

    name: Name
    person_days: float = Field(default=10, gt=0, le=1000)
    """What they can do in one wave, in person-days."""


class Party(StrEnum):
    """Who has to agree to a cutover."""

    DEPARTMENT = "department"
    AUTHORITY = "authority"
    PROVIDER = "provider"


class Approver(Part):
    """A person who may say go or no-go for one party, by a signature."""

    name: Name
    party: Party
    tenant: Name | None = None
    """The department that the person speaks for."""
    key: Annotated[str, Field(pattern=SSH_KEY, max_length=1000)]
    """The SSH public key."""

    @model_validator(mode="after")
    def _of_a_department(self) -> Approver:
        if (self.party is Party.DEPARTMENT) != (self.tenant is not None):
            raise ValueError("`tenant` goes with party department, and a department's approver needs it")
        return self


class MoverPlace(Part):
    """Where tools of movers run instead of beside `migrate run`: a host of the hub, or a cluster with real nodes."""

    host: Name | None = None
    """A host that `up` gives the tools to; dumps, backups and archives lie there."""
    cluster: Name | None = None
    """A cluster whose nodes are real; each command is a Job, and the files of a move lie on a volume."""
    pool: Name | None = None
    """The pool on which Jobs run; any node when not given."""
    image: Annotated[str, Field(max_length=300)] | None = None
    """For Jobs: Python and the tools, from a registry of the hub, with a tag."""
    storage: Quantity = "20Gi"
    """The volume of each move."""
    slots: int = Field(default=2, ge=1, le=64)
    """Commands that it takes at a time before others are preferred."""
    systems: list[Name] = []
    """Only these systems; all of them when empty."""
    files: bool = False
    """Files between hosts go through it too: its login reaches both hosts over SSH by settings of its own."""

    @property
    def name(self) -> str:
        """As the record and the notes beside archives know it."""
        return self.host or f"cluster/{self.cluster}"

    @model_validator(mode="after")
    def _one_of_two(self) -> MoverPlace:
        if (self.host is None) == (self.cluster is None):
            raise ValueError("a mover has a `host` or a `cluster`, and not both")
        if (self.cluster is None) != (self.image is None):
            raise ValueError("`image` goes with `cluster`, which needs it")
        if self.pool is not None and self.cluster is None:
            raise ValueError("`pool` goes with `cluster`")
        if self.files and self.cluster is not None:
            raise ValueError("`files` goes with `host`: pods have no login of their own on other hosts")
        return self


class Reaction(StrEnum):
    """What is done when something is found after the switch."""

    RETURN = "return"
    REPORT = "report"


class AutomaticReturn(Part):
    """What is watched after the switch until acceptance, and what of it sends users back by itself.

    It begins only while the system's window is open and long enough for the way back, and nobody holds it.
    """

    switch_failed: Reaction = Reaction.RETURN
    """The switch itself failed, so users can write nowhere."""
    phase_overran: Reaction = Reaction.RETURN
    """A phase between the switch and the trial run took longer than `phase_minutes`."""
    service_test_failed: Reaction = Reaction.RETURN
    """The service test failed `service_tests` times."""
    mismatch: Reaction = Reaction.REPORT
    """Rows of the target differ from the source's. The return would end at its own proof, so people decide."""
    reverse_lag: Reaction = Reaction.REPORT
    """The source follows the target too slowly: the way back gets long."""
    phase_minutes: Annotated[float, Field(gt=0, le=10080)] = 30
    service_tests: int = Field(default=2, ge=1, le=100)
    lag_seconds: Annotated[float, Field(gt=0, le=604800)] = 300
    lag_size: Quantity = "256Mi"
    """Bytes of changes that the source may be behind."""
    verify_hours: Annotated[float, Field(ge=0, le=8760)] = 24
    """Hours between two comparisons of the target with the source; 0: only once after the switch."""
    verify_seconds: Annotated[float, Field(gt=0, le=86400)] = 600
    """Seconds that one comparison may take; what was not reached by then could not be verified."""


class MigrationRules(Assumable):
    """What all migrations of the hub have in common."""

    teams: list[Team] = []
    link_mbps: int = Field(default=1000, ge=1, le=1_000_000)
    """Line from the departments to the hub, in Mbit/s, that data may take."""
    first_wave: date | None = None
    """The day on which the first wave may begin."""
    wave_days: int = Field(default=14, ge=1, le=180)
    """Calendar days from the beginning of one wave to that of the next."""
    waves: int = Field(default=40, ge=1, le=200)
    """At most so many."""
    per_department: int = Field(default=2, ge=1, le=100)
    """Systems of one department in one wave, at most."""
    per_wave: int = Field(default=12, ge=1, le=500)
    """Systems in one wave, at most."""
    trial_days: Annotated[float, Field(ge=0, le=365)] = 30
    """Days of trial run between cutover and acceptance."""
    approval_hours: Annotated[float, Field(gt=0, le=8760)] = 72
    """Hours that an approval of a cutover holds."""
    limits: SourceLimits = SourceLimits()
    """What moves may take of each source."""
    movers: list[MoverPlace] = []
    """Where dumps are made and restored; beside `migrate run` when there are none for a system."""
    approvers: list[Approver] = []
    """Who may approve; each cutover takes one person of each party, and none of them runs it."""
    write_pause_seconds: Annotated[float, Field(gt=0, le=86400)] = 120
    """The longest pause of writes at a cutover before everything goes back by itself."""
    automatic_return: AutomaticReturn = AutomaticReturn()
