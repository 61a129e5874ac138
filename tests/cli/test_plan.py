"""``plan`` in every form: for people, JSON, Markdown, SARIF, JUnit and events."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cli import samples
from cli.conftest import Fake
from cli.samples import matches
from govhub.core.events import first_broken_link, read_events
from govhub.core.plan import Plan, read_saved
from govhub.ops.requests import EnginePreview, PlanRequest, PlanResult


def serve(ops: Fake, plan: Plan, preview: EnginePreview | None = None) -> list[PlanRequest]:
    asked: list[PlanRequest] = []

    def make_plan(request: PlanRequest) -> PlanResult:
        asked.append(request)
        return PlanResult(plan=plan, preview=preview)

    ops("plan", make_plan=make_plan)
    return asked


def test_people_see_counts_dangers_fields_capacity_and_the_next_command(ops: Fake, govhub: Any) -> None:
    serve(ops, samples.plan())
    code, out, err = govhub("plan", "jinzhou")
    assert code == 0
    assert matches("plan.txt", out)
    assert err.strip() == "Next: govhub up jinzhou"


def test_json_is_one_document_with_the_promised_keys(ops: Fake, govhub: Any) -> None:
    serve(ops, samples.plan(), EnginePreview(counts={"create": 5}, seconds=1.5, differences=("a: b",)))
    code, out, err = govhub("plan", "jinzhou", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert {"schema", "hub", "summary", "changes", "findings", "coverage", "capacity", "engine"} <= document.keys()
    assert matches("plan.json", out)


def test_the_flags_become_a_request(ops: Fake, govhub: Any) -> None:
    asked = serve(ops, samples.plan())
    govhub("plan", "jinzhou", "--tenant", "fin*", "--tenant", "health", "--stack", "tenants", "--cluster", "main")
    assert asked[0].selection.words() == (
        "--stack tenants",
        "--tenant fin*",
        "--tenant health",
        "--cluster main",
    )


def test_side_files(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    serve(ops, samples.plan(samples.ERROR, samples.WARNING))
    names = {"--junit": "p.xml", "--sarif": "p.sarif", "--markdown": "p.md", "--events": "p.ndjson"}
    words = [word for flag, name in names.items() for word in (flag, str(tmp_path / name))]
    code, _, err = govhub("plan", "jinzhou", *words)
    assert code == 4
    assert "Blocked" in err
    for name in ("p.xml", "p.sarif", "p.md"):
        assert matches(f"plan.{name.partition('.')[2]}", (tmp_path / name).read_text(encoding="utf-8"))
    events = list(read_events(tmp_path / "p.ndjson"))
    assert events[0]["kind"] == "version"
    assert events[-1]["kind"] == "plan-made"
    assert first_broken_link(tmp_path / "p.ndjson") is None
    assert (tmp_path / "p.md").stat().st_mode & 0o777 == 0o644


def test_sarif_has_what_the_standard_requires(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    serve(ops, samples.plan(samples.ERROR, samples.WARNING))
    govhub("plan", "jinzhou", "--sarif", str(tmp_path / "p.sarif"))
    log = json.loads((tmp_path / "p.sarif").read_text(encoding="utf-8"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["name"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["artifactLocation"]["uri"].endswith(".yaml")
    assert all(rule["shortDescription"]["text"] for rule in rules)


def test_files_are_named_from_the_root_of_the_repository(
    ops: Fake, govhub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inventories/jinzhou").mkdir(parents=True)
    (tmp_path / "inventories/jinzhou/tenants.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOVHUB_INVENTORIES", raising=False)
    serve(ops, samples.plan(samples.ERROR))
    govhub("plan", "jinzhou", "--sarif", "p.sarif")
    assert '"uri": "inventories/jinzhou/tenants.yaml"' in Path("p.sarif").read_text(encoding="utf-8")


def test_junit_counts_errors_as_failures_only(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    serve(ops, samples.plan(samples.WARNING))
    govhub("plan", "jinzhou", "--junit", str(tmp_path / "p.xml"))
    root = ET.parse(tmp_path / "p.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "0")


def test_3000_changes_fit_into_the_page_and_on_a_screen(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    serve(ops, samples.big_plan(3000))
    _, out, _ = govhub("plan", "jinzhou", "--markdown", str(tmp_path / "p.md"))
    assert len(out.splitlines()) <= 40
    page = (tmp_path / "p.md").read_bytes()
    assert 50_000 < len(page) <= 64_000
    text = page.decode()
    assert text.startswith("<!-- govhub:plan jinzhou -->\n")
    shown = text.count("| + create | `main/")
    assert f"… {3000 - shown:,} more" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_verbose_cuts_nothing_short(ops: Fake, govhub: Any) -> None:
    serve(ops, samples.big_plan(300))
    out = govhub("plan", "jinzhou", "-v")[1]
    assert out.count("+ create  ") == 300
    assert "more" not in out


def test_markdown_takes_nothing_from_the_input_as_markup(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    serve(ops, samples.plan(samples.ERROR))
    govhub("plan", "jinzhou", "--markdown", str(tmp_path / "p.md"))
    row = next(line for line in (tmp_path / "p.md").read_text(encoding="utf-8").splitlines() if "TEN001" in line)
    assert r"quota \| class &lt;none&gt; &amp; " in row
    assert "@all" not in row
    assert r"\`x\`" in row


@pytest.mark.parametrize(
    ("words", "plan", "code"),
    [
        ((), samples.plan(), 0),
        (("--detailed-exitcode",), samples.plan(), 2),
        (("--detailed-exitcode",), samples.big_plan(0), 0),
        (("--detailed-exitcode",), samples.plan(samples.ERROR), 4),
    ],
)
def test_exit_codes(ops: Fake, govhub: Any, words: tuple[str, ...], plan: Plan, code: int) -> None:
    serve(ops, plan)
    assert govhub("plan", "jinzhou", *words)[0] == code


def test_a_saved_plan_can_be_read_back_and_is_private(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    plan = samples.plan()
    serve(ops, plan)
    file = tmp_path / "saved.json"
    _, _, err = govhub("plan", "jinzhou", "--out", str(file))
    saved = read_saved(file.read_text(encoding="utf-8"), now=datetime.fromisoformat(samples.CREATED))
    assert saved.hub == "jinzhou"
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"--plan {file}" in err


@pytest.mark.parametrize("flag", [("--engine",), ("--out", "x")])
def test_a_plan_against_a_revision_knows_no_state(govhub: Any, flag: tuple[str, ...]) -> None:
    code, _, err = govhub("plan", "jinzhou", "--against", "main", *flag)
    assert code == 64
    assert flag[0] in err


def test_chinese(ops: Fake, govhub: Any) -> None:
    serve(ops, samples.plan())
    out = govhub("plan", "jinzhou", "--lang", "zh")[1]
    assert matches("plan.zh.txt", out)
    assert govhub("plan", "jinzhou")[1].startswith("jinzhou: 5 to create")
