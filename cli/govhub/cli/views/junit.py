"""Findings as JUnit XML: a suite for each hub, a failed case for each error, a passed one for a hub without."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # we write XML, nothing is parsed
from collections.abc import Mapping

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.secrets import REDACTOR

# What XML 1.0 cannot hold, escaped or not.
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(command: str, found: Mapping[str, list[Diagnostic]], seconds: Mapping[str, float]) -> str:
    """The XML text."""
    root = ET.Element("testsuites", name=f"govhub {command}")
    for hub, items in found.items():
        root.append(_suite(command, hub, items, seconds.get(hub, 0.0)))
    for count in ("tests", "failures"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True).replace("'", '"', 4) + "\n"


def _suite(command: str, hub: str, items: list[Diagnostic], seconds: float) -> ET.Element:
    errors = [item for item in items if item.severity is Severity.ERROR]
    suite = ET.Element("testsuite", name=_legal(hub), time=f"{seconds:.3f}")
    if not errors:
        # Consumers take an empty suite for a broken one.
        ET.SubElement(suite, "testcase", classname=_legal(hub), name=command, time=f"{seconds:.3f}")
    suite.extend(_case(hub, item) for item in items)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(errors)))
    return suite


def _case(hub: str, item: Diagnostic) -> ET.Element:
    where = str(item.source or item.address)
    case = ET.Element("testcase", classname=_legal(hub), name=_legal(f"{item.code} {where} {item.summary}"), time="0")
    if item.source:
        case.set("file", _legal(item.source.file))
        case.set("line", str(item.source.line))
    lines = [f"{where}: {item.summary}" if where else item.summary, item.detail, item.hint and f"hint: {item.hint}"]
    text = _legal("\n".join(part for part in lines if part))
    if item.severity is Severity.ERROR:
        ET.SubElement(case, "failure", message=_legal(item.summary), type=item.code).text = text
    else:
        # Warnings are shown, and do not make the pipeline red.
        ET.SubElement(case, "system-out").text = f"{item.severity.value}: {text}"
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub("�", REDACTOR(text))
