"""YAML with positions: the file's tree as plain dicts and lists that remember line and column.

libyaml's event stream is turned into the tree here, iteratively and with limits, because its own
composer recurses on the C stack (a deeply nested file would kill the process) and expands aliases
without a bound. Scalars follow the YAML 1.2 core schema, so ``no`` is a word and ``22:00`` is no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from govhub.core.diagnostics import Diagnostics, SourceRange

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 2_000_000
MAX_INT_DIGITS = 18
MAX_FLOAT_CHARACTERS = 40

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "true": True, "false": False, "null": None}
_WORDS |= {key.capitalize(): value for key, value in _WORDS.items() if len(key) > 1}
_WORDS |= {key.upper(): value for key, value in _WORDS.items() if len(key) > 1}

Mark = tuple[int, int]


class LocatedMap(dict[str, Any]):
    """A mapping whose keys know where they stand."""

    __slots__ = ("at", "file", "marks", "nodes")

    def __init__(self, file: str, at: Mark) -> None:
        super().__init__()
        self.file, self.at, self.nodes = file, at, 1
        self.marks: dict[str, Mark] = {}


class LocatedList(list[Any]):
    """A sequence whose items know where they stand."""

    __slots__ = ("at", "file", "marks", "nodes")

    def __init__(self, file: str, at: Mark) -> None:
        super().__init__()
        self.file, self.at, self.nodes = file, at, 1
        self.marks: list[Mark] = []


class MergedList(LocatedList):
    """A section put together from several files; each item remembers its own."""

    __slots__ = ("files",)

    def __init__(self) -> None:
        super().__init__("", (1, 1))
        self.files: list[str] = []

    def take(self, other: LocatedList) -> None:
        """Append everything of ``other``."""
        self.extend(other)
        self.marks.extend(other.marks)
        self.files.extend([other.file] * len(other))


class MergedMap(LocatedMap):
    """The sections of all files together; each remembers its own file."""

    __slots__ = ("files",)

    def __init__(self) -> None:
        super().__init__("", (1, 1))
        self.files: dict[str, str] = {}

    def put(self, section: str, value: Any, source: LocatedMap) -> None:
        """Take over ``section`` of the file ``source``; ``value`` may differ from what stands there."""
        self[section] = value
        self.marks[section] = source.marks[section]
        self.files[section] = source.file
        self.file = self.file or source.file


Located = LocatedMap | LocatedList


@dataclass(slots=True)
class _Frame:
    node: Located
    anchor: str | None
    key: str | None = None
    key_mark: Mark = (1, 1)
    skip: bool = False


class _Refused(Exception):
    """The file is refused as a whole; carries code, summary, mark and hint."""

    def __init__(self, code: str, summary: str, mark: Mark, hint: str) -> None:
        super().__init__(summary)
        self.code, self.summary, self.mark, self.hint = code, summary, mark, hint


def read_yaml(
    path: Path, shown: str, problems: Diagnostics, begin: str = "start it with a section such as `tenants:`"
) -> LocatedMap | None:
    """The mapping in ``path``, or None after collecting why not.

    Args:
        path: The file.
        shown: Its name in positions.
        problems: Collects what is wrong with it.
        begin: The hint for a file that holds something else than a mapping; a hub's file when not given.
    """
    text = _read_text(path, shown, problems)
    if text is None:
        return None
    try:
        tree = _Builder(shown, problems).build(text)
    except _Refused as error:
        problems.error(error.code, error.summary, source=SourceRange(shown, *error.mark), hint=error.hint)
        return None
    except yaml.YAMLError as error:
        problems.error("YAML001", f"not valid YAML: {_reason(error)}", source=_where(error, shown), hint=_YAML_HINT)
        return None
    if tree is None:
        problems.warning("YAML002", "the file is empty", source=SourceRange(shown), hint="delete it, or add a section")
        return None
    if not isinstance(tree, LocatedMap):
        problems.error(
            "YAML003",
            "the file must be a mapping",
            source=SourceRange(shown, *getattr(tree, "at", (1, 1))),
            hint=begin,
        )
        return None
    return tree


_YAML_HINT = "check indentation, quotes and colons at this line"


def locate(tree: Any, path: tuple[str | int, ...]) -> SourceRange | None:
    """The position of the deepest part of ``path`` that exists in ``tree``; a missing key points at its parent."""
    best: SourceRange | None = None
    node = tree
    for step in path:
        if isinstance(node, LocatedMap) and isinstance(step, str) and step in node:
            file = node.files[step] if isinstance(node, MergedMap) else node.file
            best = SourceRange(file, *node.marks[step])
            node = node[step]
        elif isinstance(node, LocatedList) and isinstance(step, int) and step < len(node):
            file = node.files[step] if isinstance(node, MergedList) else node.file
            best = SourceRange(file, *node.marks[step])
            node = node[step]
        else:
            break
    return best


def _read_text(path: Path, shown: str, problems: Diagnostics) -> str | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            problems.error(
                "YAML004",
                f"the file has {size / 1e6:.0f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB",
                source=SourceRange(shown),
                hint="use name patterns such as r{01..12} instead of listing every rack or host",
            )
            return None
        raw = path.read_bytes()
    except OSError as error:
        problems.error("YAML005", f"cannot read the file: {error.strerror}", source=SourceRange(shown))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        problems.error(
            "YAML006",
            f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}",
            source=SourceRange(shown, line, column),
            hint="save it as UTF-8; a GBK file: iconv -f GB18030 -t UTF-8 FILE",
        )
        return None


class _Builder:
    """Turns events into a tree; one instance a file."""

    def __init__(self, file: str, problems: Diagnostics) -> None:
        self.file, self.problems = file, problems
        self.anchors: dict[str, Any] = {}
        self.frames: list[_Frame] = []
        self.count = 0
        self.documents = 0
        self.root: Any = None

    def build(self, text: str) -> Any:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            start = event.start_mark
            mark = (start.line + 1, start.column + 1) if start else (1, 1)
            if isinstance(event, yaml.ScalarEvent):
                self._add(_scalar(event), mark, event.anchor)
            elif isinstance(event, yaml.MappingStartEvent):
                self._open(LocatedMap(self.file, mark), mark, event.anchor)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open(LocatedList(self.file, mark), mark, event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event.anchor, mark)
            elif isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise _Refused("YAML007", "more than one document in the file", mark, "keep one; remove the `---`")
        return self.root

    def _alias(self, anchor: str | None, mark: Mark) -> None:
        if anchor is None or anchor not in self.anchors:
            raise _Refused("YAML001", f'not valid YAML: the alias "{anchor}" has no anchor', mark, _YAML_HINT)
        value = self.anchors[anchor]
        # An alias counts as everything behind it: this is what stops an alias bomb before anyone walks the tree.
        self._count(getattr(value, "nodes", 1), mark)
        if self.frames:
            self.frames[-1].node.nodes += getattr(value, "nodes", 1)
        self._place(value, mark)

    def _count(self, more: int, mark: Mark) -> None:
        self.count += more
        if self.count > MAX_NODES:
            raise _Refused(
                "YAML008",
                f"the file stands for more than {MAX_NODES:,} values",
                mark,
                "anchors and aliases multiply here; write name patterns instead",
            )

    def _add(self, value: Any, mark: Mark, anchor: str | None) -> None:
        self._count(1, mark)
        if self.frames:
            self.frames[-1].node.nodes += 1
        if anchor:
            self.anchors[anchor] = value
        self._place(value, mark)

    def _open(self, node: Located, mark: Mark, anchor: str | None) -> None:
        self._count(1, mark)
        if len(self.frames) >= MAX_DEPTH:
            raise _Refused("YAML009", f"nested deeper than {MAX_DEPTH} levels", mark, "no govhub section needs that")
        if self.frames and isinstance(self.frames[-1].node, LocatedMap) and self.frames[-1].key is None:
            raise _Refused("YAML010", "a mapping key must be plain text", mark, _YAML_HINT)
        self.frames.append(_Frame(node, anchor))

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.anchor:
            # Known only once it is complete, so that no tree can contain itself.
            self.anchors[frame.anchor] = frame.node
        if self.frames:
            self.frames[-1].node.nodes += frame.node.nodes
        self._place(frame.node, frame.node.at)

    def _place(self, value: Any, mark: Mark) -> None:
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        if isinstance(frame.node, LocatedList):
            frame.node.append(value)
            frame.node.marks.append(mark)
        elif frame.key is None:
            self._key(frame, value, mark)
        else:
            if not frame.skip:
                frame.node[frame.key] = value
                frame.node.marks[frame.key] = frame.key_mark
            frame.key = None

    def _key(self, frame: _Frame, value: Any, mark: Mark) -> None:
        if isinstance(value, dict | list):
            raise _Refused("YAML010", "a mapping key must be plain text", mark, _YAML_HINT)
        frame.key, frame.key_mark = str(value), mark
        frame.skip = isinstance(frame.node, LocatedMap) and frame.key in frame.node
        if frame.skip:
            first = frame.node.marks[frame.key]  # type: ignore[call-overload]
            self.problems.error(
                "YAML011",
                f'the key "{frame.key[:60]}" stands twice in the same mapping',
                detail=f"first at line {first[0]}; the second would silently win",
                source=SourceRange(self.file, *mark),
                hint="keep one of them",
            )


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.style or (event.tag and event.tag != "!"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789":
        # 18 digits fit every counter we have; longer runs of digits are identifiers, and int() of a huge one is slow.
        if _INT.fullmatch(text):
            return int(text) if len(text) <= MAX_INT_DIGITS else text
        if len(text) <= MAX_FLOAT_CHARACTERS and _FLOAT.fullmatch(text):
            return float(text)
    return text


def _reason(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return " ".join(str(problem).split())[:160]


def _where(error: yaml.YAMLError, shown: str) -> SourceRange:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return SourceRange(shown, mark.line + 1, mark.column + 1) if mark else SourceRange(shown)
