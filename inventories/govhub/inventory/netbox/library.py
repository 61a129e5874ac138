"""Device types in the form of NetBox' devicetype-library: one YAML file a type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.inventory.explaining import collect
from govhub.inventory.located import read_yaml
from govhub.inventory.merging.naming import slug
from govhub.inventory.merging.observed import Observed, TypeFacts
from govhub.inventory.netbox import hardware

SUFFIXES = (".yaml", ".yml")
MAX_FILES = 5_000
_MANY_PORTS = 12


class _Item(BaseModel):
    """What is not read here may stand there: the library has much more."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class PowerPort(_Item):
    """A supply."""

    name: str
    maximum_draw: int | None = Field(default=None, ge=0)
    allocated_draw: int | None = Field(default=None, ge=0)


class Interface(_Item):
    """A network port."""

    name: str
    type: str
    mgmt_only: bool = False


class LibraryType(_Item):
    """A file of the library, as far as capacity needs it."""

    manufacturer: str = Field(min_length=1)
    model: str = Field(min_length=1)
    slug: str = Field(min_length=1)
    u_height: float = Field(default=1, ge=0, le=60, multiple_of=0.5)
    weight: float | None = Field(default=None, gt=0)
    weight_unit: str | None = Field(default=None, pattern="^(kg|g|lb|oz)$")
    subdevice_role: str | None = None
    power_ports: list[PowerPort] = Field(default=[], alias="power-ports")
    interfaces: list[Interface] = []
    front_ports: list[_Item] = Field(default=[], alias="front-ports")


def read_types(paths: Sequence[Path], found: Diagnostics, *, kind: str = "") -> Observed:
    """The types of files and of all YAML files in folders.

    Args:
        paths: Files, or folders that are read through.
        found: Gets what is wrong with a file; the others are read all the same.
        kind: What they are for; by their words and ports when it is empty.

    Raises:
        InvalidInput: there is no such file or folder, or too many files (NBX020).
    """
    observed = Observed(source="the library")
    origins: dict[str, str] = {}
    for path in _files(paths):
        shown = path.name
        tree = read_yaml(path, shown, found, "give files of the device type library: `manufacturer:`, `model:`, …")
        if tree is None:
            continue
        try:
            item = LibraryType.model_validate(tree)
        except ValidationError as error:
            collect(error, tree, found, LibraryType)
            continue
        name = slug(item.slug)
        if name in origins:
            summary = f'the type "{name}" stands in {origins[name]} too'
            found.error("NBX021", summary, source=SourceRange(shown), hint="keep one of them")
            continue
        origins[name] = shown
        observed.types[name] = _facts(item, kind)
    return observed


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(item for item in path.rglob("*") if item.suffix in SUFFIXES and item.is_file())
        elif path.is_file():
            files.append(path)
        else:
            summary = f'there is no file or folder "{path}"'
            raise InvalidInput.one("NBX020", summary, hint="give YAML files of the devicetype-library, or their folder")
    if not files or len(files) > MAX_FILES:
        summary = f"{len(files):,} files of device types; between 1 and {MAX_FILES:,} are read"
        raise InvalidInput.one("NBX020", summary, hint="name the manufacturers' folders, or single files")
    return files


def _facts(item: LibraryType, kind: str) -> TypeFacts:
    data = {
        "u_height": item.u_height,
        "weight": item.weight,
        "weight_unit": item.weight_unit,
        "front-ports": len(item.front_ports),
    }
    supplies = [port.model_dump() for port in item.power_ports]
    interfaces = [port.model_dump() for port in item.interfaces]
    return hardware.type_of(data, supplies, interfaces, kind=kind or _kind(item))


def _kind(item: LibraryType) -> str:
    found = hardware.kind_of(f"{item.model} {item.slug}")
    ports = sum(not port.mgmt_only for port in item.interfaces)
    return "switch" if found == "other" and ports >= _MANY_PORTS else found
