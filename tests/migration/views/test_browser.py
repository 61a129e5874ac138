"""Pictures and pages of migrations as a real browser shows them, in both languages: readable, whole, in Chinese too."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from govhub.cli import i18n
from govhub.cli.views.gantt import gantt
from govhub.cli.views.timeline import timeline_svg
from govhub.migration.waves.plan import Plan, make_plan
from govhub.migration.waves.report import document as planned
from govhub.ops.migration.dossier import export
from govhub.ops.migration.timeline import timeline
from migration.city import SYSTEM, City, make_city
from migration.views.browser import WITHOUT, Browser, Text, installed, knows_chinese
from migration.waves.hubs import loaded, problem_of, write_hub

# The longer names, the other way of writing: what fits in Chinese and English fits.
LANGUAGES = (pytest.param("en", marks=pytest.mark.slow), "zh")
LONG = {
    "zh": "全市一体化政务服务与公共数据资源共享交换综合管理平台(二期)扩容改造工程业务系统",
    "en": "Integrated Municipal Government Services and Public Data Exchange Platform, Second Stage",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = installed()
    if program is None:
        pytest.skip(WITHOUT)
    return Browser(program, tmp_path_factory.mktemp("browser"))


@pytest.fixture(params=LANGUAGES)
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    i18n.use(request.param)
    yield request.param
    i18n.use("en")


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city whose system was moved, and is on trial for a month."""
    folder = tmp_path_factory.mktemp("moved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOVHUB_HOME", str(folder / "home"))
        patch.setenv("GOVHUB_ACTOR", "operator")
        city = make_city(folder)
        city.run("migrate")
        city.clock.forward(hours=3)
        city.everybody_approves()
        assert city.run()["phase"] == "WaitForTrialRun"
        city.clock.forward(days=31)
        yield city


def plan(folder: Path) -> dict[str, Any]:
    """Twenty systems over a few waves, one of them with a name that is too long."""
    systems: dict[str, dict[str, Any]] = {f"s{number}": {"tenant": f"t{number}"} for number in range(20)}
    rules = {"waves": 12, "per_wave": 2, "teams": [{"name": "red", "person_days": 9.5}]}
    problem = problem_of(loaded(write_hub(folder / "h", systems, rules)))
    found = make_plan(problem, simple=True)
    assert isinstance(found, Plan)
    document = planned(problem, found, [])
    document["waves"][1]["systems"][0]["title"] = LONG
    return document


def check(texts: list[Text], page: dict[str, Any]) -> None:
    """Everything is in the picture, and nothing is written over anything else."""
    assert texts
    assert [item for item in texts if not item.inside] == []
    assert [(one, other) for one, other in combinations(texts, 2) if one.covers(other)] == []
    assert "CJK" in page["fonts"]
    if knows_chinese():
        assert page["chinese"], "Chinese characters are empty boxes"


def test_a_plan_can_be_read_as_a_picture(browser: Browser, spoken: str, tmp_path: Path) -> None:
    texts, page = browser.measure(gantt(plan(tmp_path)))
    check(texts, page)
    said = [item.text for item in texts]
    assert sum(LONG[spoken][:12] in text and "…" in text for text in said) == 1
    assert any(("Wave 1: 2026-03-02" if spoken == "en" else "批次 1: 2026-03-02") in text for text in said)


def test_a_plan_without_waves_says_so(browser: Browser, spoken: str) -> None:
    texts, page = browser.measure(gantt({"hub": "mini", "waves": []}))
    check(texts, page)


def test_a_timeline_can_be_read_as_a_picture(browser: Browser, spoken: str, moved: City) -> None:
    document = timeline(str(moved.hub), (SYSTEM,), clock=moved.clock)
    for part in (document, document | {"systems": document["systems"] * 3}):
        texts, page = browser.measure(timeline_svg(part))
        check(texts, page)
        said = {item.text for item in texts}
        if part is document:
            assert ("TrialRun" if spoken == "en" else "试运行") in said
            assert "31 d 00 h" in said


def test_the_dossier_can_be_read_as_a_page(browser: Browser, moved: City, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    export(str(moved.hub), SYSTEM, folder)
    content = (folder / "dossier.html").read_text(encoding="utf-8")
    texts, page = browser.measure(content, 1280)
    assert page["wide"] <= page["seen"], "nobody scrolls sideways"
    assert [item for item in texts if item.cut] == []
    check([item for item in texts if item.text], page)
    # Words and times are one line, or tables fall apart into letters.
    for text in ("operator", "2026-03-02T04:00:00.000Z", "业务切换 (执行)"):
        found = [item for item in texts if item.text == text]
        assert found
        assert all(item.lines == 1 for item in found), text


@pytest.mark.slow
def test_a_file_that_is_opened_by_itself_is_no_blank_sheet(browser: Browser, moved: City, tmp_path: Path) -> None:
    file = tmp_path / "timeline.svg"
    file.write_text(timeline_svg(timeline(str(moved.hub), (SYSTEM,), clock=moved.clock)), encoding="utf-8")
    data = browser.picture(file, tmp_path / "timeline.png").read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1500, 1000)
    assert len(colours(data)) > 20


def colours(png: bytes) -> set[bytes]:
    """Different runs of four bytes in the packed rows: one or two for a sheet of one colour."""
    at, packed = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw = zlib.decompress(packed)
    return {raw[place : place + 4] for place in range(0, len(raw), 4)}
