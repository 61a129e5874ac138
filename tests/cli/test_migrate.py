"""``migrate``: the difference comes first, and an assessment is a page that says what stands against what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Fake
from cli.samples import matches
from govhub.core.diagnostics import Diagnostic, Severity, SourceRange
from govhub.inventory.importers.results import ImportResult, Outcome, RowResult

DIFF = """--- a/jinzhou/migrations.yaml
+++ b/jinzhou/migrations.yaml
@@ -1,2 +1,3 @@
   - system: tax
     moves:
+      - {name: db, kind: postgresql, source: old-tax-1, database: tax}
"""


def found(code: str, weight: str, summary: str, **more: str) -> dict[str, Any]:
    return {"code": code, "weight": weight, "summary": summary} | more


def rate(numerator: int, denominator: int, unknown: int) -> dict[str, Any]:
    whole = denominator + unknown
    return {
        "rate": numerator / denominator if denominator else None,
        "numerator": numerator,
        "denominator": denominator,
        "unknown": unknown,
        "excluded": 0,
        "coverage": denominator / whole if whole else None,
    }


def system(name: str, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "system": name,
        "tenant": "finance",
        "strategy": {"decided": None, "suggested": None, "reasons": []},
        "verdict": "unknown",
        "estimate": None,
        "moves": [],
        "findings": [],
    }
    return base | more


OLD = found(
    "POR024",
    "risk",
    "CentOS 7 has no security updates",
    source="old-tax-1",
    evidence="installed by 2015",
)
ASSESSMENT: dict[str, Any] = {
    "schema": "govhub.migrate-assess/1",
    "hub": "jinzhou",
    "time": "2026-03-02T08:00:00+00:00",
    "offline": True,
    "systems": [
        system(
            "tax",
            strategy={"decided": "rehost", "suggested": "replatform", "reasons": ["its engine changes"]},
            verdict="blocked",
            estimate={"bytes": 21474836480, "copy": 268.4, "pause": 590.0, "online": False},
            moves=[{"name": "db"}],
            findings=[
                found(
                    "POR052",
                    "blocker",
                    "writes would pause for 10 min; `write_pause_seconds` allows 2 min",
                    system="tax",
                    way_out="let people allow a longer pause",
                ),
                OLD,
            ],
        ),
        system(
            "invoices",
            verdict="risks",
            estimate={"bytes": None, "copy": None, "pause": None, "online": None},
            moves=[{"name": "db"}],
            findings=[OLD],
        ),
        system("archive", strategy={"decided": "retain", "suggested": "retain", "reasons": []}, verdict="stays"),
        system("nobody", findings=[found("POR022", "unknown", "it is not declared where it runs", system="nobody")]),
    ],
    "sources": [
        {
            "source": "old-tax-1",
            "time": "2026-03-01T08:00:00+00:00",
            "os": "CentOS Linux 7",
            "cores": 8,
            "memory": 17179869184,
            "connections": [{"address": "172.16.4.12"}, {"address": "172.16.4.12"}],
            "servers": [
                {"engine": "postgresql", "version": "9.6", "databases": [{"name": "tax", "size": 21474836480}]},
                {"engine": "postgresql", "version": None, "databases": None},
            ],
            "unread": ["mariadb"],
            "age": 86400.0,
        },
        {"source": "old-tax-2", "time": None, "age": None},
    ],
    "findings": [found("POR001", "unknown", "old-tax-2 could not be read", source="old-tax-2", evidence="no route")],
    "summary": {
        "systems": 4,
        "verdicts": {"ready": 0, "risks": 1, "unknown": 1, "blocked": 1, "stays": 1},
        "sources": 2,
        "sources_read": 1,
    },
    "figures": {
        "definitions": {},
        "all": {"systems": 4, "migration_rate": rate(1, 2, 1), "integration_rate": rate(3, 4, 0)},
        "departments": {"finance": {"systems": 4, "migration_rate": rate(0, 0, 3), "integration_rate": rate(0, 0, 0)}},
    },
    "seconds": 1.25,
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_assessment_is_shown_as_committed(govhub: Any, ops: Fake, language: str) -> None:
    asked: list[Any] = []

    def assess_portfolio(request: Any) -> dict[str, Any]:
        asked.append(request)
        return ASSESSMENT

    ops("migration.assessing", assess_portfolio=assess_portfolio, AssessRequest=dict)
    code, out, err = govhub("migrate", "assess", "jinzhou", "tax*", "--offline", "--lang", language)
    assert (code, err) == (0, "")
    assert asked == [{"hub": "jinzhou", "systems": ("tax*",), "offline": True, "timeout": 180.0}]
    assert matches(f"assess.{language}.txt", out)
    assert out.count("no security updates") == 1, "what is about a source is told once"


def test_an_assessment_is_a_document_and_can_decide_a_pipeline(govhub: Any, ops: Fake) -> None:
    ops("migration.assessing", assess_portfolio=lambda request: ASSESSMENT, AssessRequest=dict)
    code, out, _ = govhub("migrate", "assess", "jinzhou", "--json", "--detailed-exitcode")
    assert code == 2
    assert json.loads(out) == ASSESSMENT


@pytest.mark.parametrize("go", [False, True])
def test_an_import_shows_the_difference_and_writes_only_when_told(govhub: Any, ops: Fake, go: bool) -> None:
    asked: list[Any] = []
    problem = Diagnostic(
        code="IMP021",
        severity=Severity.ERROR,
        summary='kind: "mysql" is none of ours',
        source=SourceRange("moves.csv", 4, 3),
        hint="postgresql, mariadb, files or application",
    )

    def import_portfolio(hub: str, file: Path, what: Any, **more: Any) -> ImportResult:
        asked.append((hub, file.name, what, more))
        rows = [
            RowResult(row=3, name="tax/db", outcome=Outcome.ADDED),
            RowResult(row=4, name="tax/old", outcome=Outcome.ERROR, diagnostics=(problem,)),
        ]
        return ImportResult(
            what="moves",
            source="moves.csv",
            dry_run=not go,
            rows=tuple(rows),
            files=(Path("jinzhou/migrations.yaml"),),
            diff=DIFF,
        )

    ops("migration.importing", import_portfolio=import_portfolio)
    words = [
        "migrate",
        "import",
        "jinzhou",
        "moves.csv",
        "--table",
        "moves",
        "--partial",
        *(["--go"] * go),
    ]
    code, out, _ = govhub(*words)
    assert code == 3
    assert asked == [("jinzhou", "moves.csv", "moves", {"go": go, "partial": True})]
    assert matches(f"migrate-import{'-go' * go}.txt", out)
    document = json.loads(govhub(*words, "--json")[1])
    assert (document["schema"], document["diff"]) == ("govhub.migrate-import/1", DIFF)
