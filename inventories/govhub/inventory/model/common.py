"""What every part of the model shares: names the API server accepts, titles, quantities, published or assumed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from govhub.core.quantities import PATTERN, parse_quantity

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


def _as_quantity(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    text = str(value)
    parse_quantity(text)
    return text


def _positive(text: str) -> str:
    if parse_quantity(text) <= 0:
        raise ValueError("must be more than zero")
    return text


# An RFC 1123 label: it becomes a namespace, an object name or a label value, so the API server's grammar rules.
Name = Annotated[str, Field(pattern=LABEL, min_length=1, max_length=40)]
ShortName = Annotated[str, Field(pattern=LABEL, min_length=1, max_length=20)]
# Names of racks, rows and hosts may hold a pattern such as r{01..12}.
Pattern = Annotated[str, Field(pattern=r"^[a-z0-9{][-a-z0-9{},. ]*$", min_length=1, max_length=120)]
RackPattern = Annotated[str, Field(pattern=r"^[a-z0-9{][-a-z0-9{},. /]*$", min_length=1, max_length=200)]
Addresses = Annotated[str, Field(pattern=r"^[0-9a-f:{][-0-9a-f{},.:]*$", min_length=1, max_length=120)]
Quantity = Annotated[str, BeforeValidator(_as_quantity), AfterValidator(_positive), Field(pattern=PATTERN)]
# A number of pods or hosts, or a share of them: as ``maxUnavailable`` of Kubernetes.
COUNT_OR_SHARE = r"^([0-9]{1,6}|(100|[1-9]?[0-9])%)$"
CountOrShare = Annotated[
    str,
    Field(pattern=COUNT_OR_SHARE, coerce_numbers_to_str=True),
    # Both 3 and 25% are written without quotes.
    WithJsonSchema({"type": ["string", "integer"], "pattern": COUNT_OR_SHARE, "minimum": 0, "maximum": 999_999}),
]
Port = Annotated[int, Field(ge=1, le=65535)]


class Arch(StrEnum):
    """Processor architecture, spelled as Kubernetes does in ``kubernetes.io/arch``."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class Part(BaseModel):
    """Base of all models: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Title(Part):
    """A name for people, in Chinese and English."""

    zh: str = Field(min_length=1, max_length=80)
    """The official name in Chinese."""
    en: str = Field(min_length=1, max_length=120)
    """The name in English."""


class Assumable(Part):
    """A part whose figures are published, or ours: then ``assumed`` is true and ``reason`` says why this value."""

    assumed: bool = False
    """True when the city published no figure and this one is ours."""
    reason: str = Field(default="", max_length=300)
    """One line of reasoning behind an assumed figure."""

    @model_validator(mode="after")
    def _reasoned(self) -> Assumable:
        if self.assumed and not self.reason:
            raise ValueError("an assumed figure needs a `reason`")
        return self
