"""The pages as a real Chromium shows them: both languages, keyboard, no errors, nothing asked of anybody else."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from capacity.web.conftest import ROOT, serving
from govhub.monitoring.columns import Columns
from govhub.monitoring.web.app import application
from govhub.ops.capacity.serving import Feeds, Foreseen, HubSource

PROGRAM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium is installed (Debian: apt-get install chromium)")
RACK = "jz-a/h1/r02/02"
CONTRAST, PIXELS = (Path(__file__).with_name(f"{name}.js").read_text() for name in ("contrast", "pixels"))
PAGES = {
    "/": ("Halls, the most urgent first", "各机房（最紧迫在前）"),
    "/map": ("Colour by", "着色依据"),
    f"/rack/{RACK}": ("Elevation", "机柜立面"),
    "/power?hall=jz-a/h1": ("the loss that does most", "影响最大的失效"),
    "/network": ("Lines that leave", "出口线路"),
    "/departments": ("% of the quota", "占配额"),
    "/forecast": ("no history", "无历史数据"),
    "/alerts": ("Whether anything fires is unknown", "是否有告警未知"),
    "/what-if?servers=400&lose=jz-ups-a": ("The next one is kept out by", "下一台受限于"),
    "/diff": ("What has changed", "与另一次盘点相比的变化"),
    "/wall": ("Storage power", "存力"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(source: HubSource) -> Iterator[str]:
    with serving(application(source)) as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of 1366×768 that fails the test for errors of scripts and for requests to anybody else."""
    with browser.new_context(viewport={"width": 1366, "height": 768}, base_url=address, locale="en-US") as context:
        found = context.new_page()
        wrong: list[str] = []
        found.on("console", lambda it: wrong.append(it.text) if it.type in ("error", "warning") else None)
        found.on("pageerror", lambda it: wrong.append(str(it)))
        found.on("request", lambda it: None if it.url.startswith(address) else wrong.append(it.url))
        yield found
        assert wrong == []


def wide(page: Page) -> int:
    """Pixels that a page is wider than what is seen of it."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_in_both_languages(page: Page, language: str) -> None:
    page.goto(f"/?lang={language}")
    for path, texts in PAGES.items():
        # The language is kept in a cookie: the next page needs no parameter.
        answer = page.goto(path)
        assert answer
        assert answer.ok
        assert texts[language == "zh"] in page.inner_text("body")
        assert page.get_attribute("html", "lang") == ("zh-CN" if language == "zh" else "en")
        assert wide(page) == 0, path
        assert page.locator("nav a[aria-current=page]").count() == (0 if path.startswith("/rack") else 1)


def test_unknown_is_said_and_hatched_never_blank(page: Page) -> None:
    page.goto("/")
    cells = page.locator("tbody td.n").all_inner_texts()

    assert cells
    assert all(cell.strip() for cell in cells)
    assert any("unknown" in cell and "coverage 0 %" in cell for cell in cells)
    assert page.locator("svg.bar-unknown path.hatch").count() > 0


def test_what_is_new_comes_by_itself_and_old_data_say_so(page: Page, source: HubSource) -> None:
    page.clock.install()
    page.goto("/")
    before = page.get_attribute("#state time", "data-at")
    source.refresh()
    page.clock.fast_forward(2000)
    source.refresh()
    page.evaluate("htmx.ajax('GET', '/', {target: '#state', select: '#state', swap: 'outerHTML'})")
    page.wait_for_function("before => document.querySelector('#state time').dataset.at >= before", arg=before)
    # The page goes on asking; an answer would be news, so there is none.
    page.route("**/*", lambda _: None)
    page.clock.fast_forward(120_000)
    page.wait_for_selector(".ago.old")
    assert "no news since then" in page.inner_text("#state")


def drawn(page: Page) -> None:
    page.wait_for_selector("#floor[data-drawn]")


def test_the_map_shows_every_rack_and_says_what_colours_mean(page: Page, source: HubSource) -> None:
    page.goto("/map")
    drawn(page)
    racks = len(source.halls().columns.racks.addresses)

    assert page.get_attribute("#floor", "data-racks") == str(racks)
    for value in ("power", "feed", "space", "servers", "binding", "measured"):
        page.select_option("#value", value)
        counts = [int(text.replace(",", "")) for text in page.locator("#legend b").all_inner_texts()]
        assert sum(counts) == racks, value
        assert all(text.strip() for text in page.locator("#legend span").all_inner_texts())
    # Nothing is measured: all are unknown, and the legend says it with a pattern.
    assert page.locator("#legend li", has_text="unknown").locator("b").inner_text() == str(racks)
    assert page.locator("#legend li", has_text="unknown").locator("path").count() == 1


def test_the_map_by_keyboard_alone(page: Page) -> None:
    page.goto("/map")
    drawn(page)
    page.keyboard.press("/")
    page.keyboard.type("h1/r02/02")
    page.wait_for_selector("#found li[aria-selected=true]")
    page.keyboard.press("Enter")
    assert page.inner_text("#said").startswith(f"{RACK},")
    page.wait_for_selector(f"#card h2:has-text('{RACK}')")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#said").startswith("jz-a/h1/r02/03,")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#said").startswith("jz-a/h1/r03/02,")
    page.keyboard.press("ArrowUp")
    for key in ("+", "-", "0", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/rack/{RACK}")


def test_the_map_by_mouse(page: Page) -> None:
    page.goto("/map?hall=jz-a/h1")
    drawn(page)
    box = page.locator("#floor").bounding_box()
    assert box
    frames = int(page.get_attribute("#floor", "data-frames") or 0)
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 340, box["y"] + 230, steps=8)
    page.mouse.up()
    page.mouse.wheel(0, -400)
    page.wait_for_function("frames => Number(document.getElementById('floor').dataset.frames) > frames + 1", arg=frames)
    assert page.inner_text("#said") == "", "dragging chooses nothing"


def test_something_is_really_drawn_in_light_and_dark(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto("/map")
        drawn(page)
        page.wait_for_timeout(100)
        counts = page.evaluate(PIXELS)
        assert len(counts) >= 3
        assert sum(counts[1:]) > 0.05 * sum(counts), "racks take a good part of the picture"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_the_wall_fits_its_screen(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/wall")

    assert wide(page) == 0
    assert (
        page.evaluate("document.querySelector('main').scrollHeight - document.querySelector('main').clientHeight") <= 1
    )
    size = float(str(page.evaluate("getComputedStyle(document.querySelector('.room')).fontSize")).removesuffix("px"))
    assert size > width / 80, "read from across a room"
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[:3]
    assert max(red, green, blue) < 60, "dark"


def test_two_saved_reviews_are_compared_on_the_page(page: Page, source: HubSource, tmp_path: Path) -> None:
    document: Any = json.loads(json.dumps(source.overview()))
    document["halls"][0]["binding"]["servers"] += 5
    file = tmp_path / "review.json"
    file.write_text(json.dumps(document))
    page.goto("/diff")
    page.set_input_files("#before", file)
    page.click("#saved button")
    page.wait_for_selector("#result table")
    assert "servers that fit" in page.inner_text("#result")
    assert "-5" in page.inner_text("#result")


def test_the_exported_file_opens_without_a_server(browser: Browser, page: Page, address: str, tmp_path: Path) -> None:
    page.goto("/diff")
    with page.expect_download() as download:
        page.click("a[href='/export']")
    file = tmp_path / "export.html"
    download.value.save_as(file)
    with browser.new_context(offline=True) as context:
        opened = context.new_page()
        asked: list[str] = []
        opened.on("request", lambda it: asked.append(it.url))
        opened.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert "Halls, the most urgent first" in opened.inner_text("body")
        box = opened.locator("svg.floorplan").bounding_box()
        assert box
        assert box["height"] > 100


def test_the_first_screen_answers_before_anybody_scrolls(page: Page) -> None:
    page.goto("/")
    for words in ("Full first", "Full when", "Order by"):
        box = page.locator(".tile", has_text=words).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 768
    row = page.locator("main tbody tr").first.bounding_box()
    assert row
    assert row["y"] < 768


def test_printing_leaves_navigation_out_and_figures_in(page: Page, tmp_path: Path) -> None:
    page.goto("/")
    page.emulate_media(media="print")
    assert not page.locator(".top nav").is_visible()
    assert page.locator("main table").first.is_visible()
    printed = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")


def test_everything_can_be_reached_with_the_tab_key(page: Page) -> None:
    page.goto("/")
    seen: list[str] = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(str(page.evaluate("document.activeElement.getAttribute('href')")))
    assert seen[0] == "#main"
    assert {"/map", "/power", "/wall", "?lang=zh"} <= set(seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_the_contrast_that_wcag_asks_for(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in (
        "/",
        "/wall",
        "/power?hall=jz-a/h1",
        "/departments",
        "/what-if?servers=400&lose=jz-a",
        "/what-if?lose=jz-a",
    ):
        page.goto(path)
        assert page.evaluate(CONTRAST) == [], path


def test_a_question_is_asked_in_the_form_and_answered_below_it(page: Page) -> None:
    page.goto("/what-if")
    assert "Give a number of machines" in page.inner_text("#result")
    assert 10 < page.locator("#parts option").count() < 400
    page.fill("#servers", "400")
    page.select_option("#type", "general-amd64")
    page.fill("#lose-1", "jz-ups-a")
    page.click("#try")
    page.wait_for_selector(".verdict-no")
    assert page.inner_text(".verdict .big") == "✕ Does not fit"
    assert "servers=400&type=general-amd64" in page.url
    assert "jinzhou/sites.yaml:" in page.inner_text(".verdicts")
    # What was asked is kept, with room for one part more, and in the other language, too.
    for number in (2, 3):
        page.fill(f"#lose-{number}", f"jz-crac-{number}")
    page.fill("#servers", "5")
    page.press("#servers", "Enter")
    page.wait_for_selector(".verdict:not(.verdict-no)")
    page.wait_for_selector("#lose-4")
    assert page.evaluate("document.activeElement.id") == "servers"
    page.click("#lang")
    page.wait_for_selector("html[lang=zh-CN]")
    assert "容量足够" in page.inner_text(".verdict")
    assert page.input_value("#servers") == "5"
    page.click("table a[href='/power?hall=jz-a%2Fh1'] >> nth=0")
    page.wait_for_url("**/power?hall=jz-a%2Fh1")


def test_the_form_asks_without_scripts_and_on_a_phone(browser: Browser, address: str) -> None:
    size: Any = {"width": 390, "height": 844}
    with browser.new_context(base_url=address, java_script_enabled=False, viewport=size, locale="en-US") as context:
        page = context.new_page()
        page.goto("/what-if")
        page.fill("#lose-1", "jz-a")
        page.click("#try")
        page.wait_for_selector(".verdict-but")
        assert "see what goes dark" in page.inner_text(".verdict")
        for name in ("#try", ".verdict", "#answer table >> nth=0"):
            box = page.locator(name).bounding_box()
            assert box
            assert 0 <= box["x"] < 390
        for name in ("form", ".verdicts"):
            box = page.locator(name).first.bounding_box()
            assert box
            assert box["x"] + box["width"] <= 390


def test_what_makes_no_sense_is_told_below_the_form(browser: Browser, address: str) -> None:
    with browser.new_context(base_url=address, locale="en-US") as context:
        page = context.new_page()
        page.goto("/what-if")
        page.fill("#lose-1", "<b>jz-ups-q</b>")
        page.click("#try")
        page.wait_for_selector("#result .problem")
        assert "FIT010" in page.inner_text("#result")
        assert page.locator("#result b").count() == 0
        assert page.input_value("#lose-1") == "<b>jz-ups-q</b>"


def grown(_: Columns) -> Foreseen:
    """A hall that grows by 400 W a day, a day in the middle unknown, and one of which nothing is known."""
    days = [None if day == 50 else 100_000.0 + 400 * day for day in range(120)]
    known = {
        "resource": "power",
        "unit": "W",
        "level": "hall",
        "place": "jz-a/h1",
        "status": "runs-out",
        "value": 147_600.0,
        "limit": 200_000.0,
        "slope_per_day": {"p10": 500.0, "p50": 400.0, "p90": 300.0},
        "history_days": 119,
        "coverage": {"known": 2, "of": 2},
        "exhaustion": {"p10": "2026-06-14", "p50": "2026-07-11", "p90": "2026-08-23"},
        "until": "2026-10-28",
        "lead_days": 90,
        "order_by": "2026-04-12",
        "backtest": {"mase": 0.81, "within_p10_p90": 0.8, "origins": 9},
        "history": days,
    }
    nothing = dict.fromkeys(("value", "limit", "order_by", "until"), None)
    unknown = known | nothing | {"place": "jz-dr/h1", "status": "unknown", "history_days": 0, "history": []}
    unknown |= {"exhaustion": dict.fromkeys(("p10", "p50", "p90")), "backtest": {"mase": None}}
    about = {"state": "ok", "as_of": "2026-03-01", "horizon_days": 730, "history_days": 119}
    return Foreseen(about | {"forecasts": [known, unknown], "problems": []})


def test_the_fan_is_drawn_and_its_dates_lead_the_first_screen(browser: Browser, tmp_path: Path) -> None:
    os.environ["GOVHUB_INVENTORIES"], os.environ["GOVHUB_TODAY"] = str(ROOT / "inventories"), "2026-03-02"
    try:
        source = HubSource("jinzhou", Feeds(forecast=grown))
    finally:
        del os.environ["GOVHUB_INVENTORIES"], os.environ["GOVHUB_TODAY"]
    with serving(application(source, every=3600)) as address, browser.new_context(base_url=address) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda it: wrong.append(it.text) if it.type in ("error", "warning") else None)
        page.goto("/forecast")
        page.wait_for_selector("#charts[data-drawn='1'] canvas")
        assert page.locator(".u-legend .u-label").all_inner_texts()[1:5] == ["measured", "p10", "p50", "p90"]
        text = page.inner_text("table")
        assert "2026-04-12" in text
        assert "unknown" in text, "of the hall without data"
        page.goto("/")
        tile = page.locator(".tile", has_text="Order by")
        assert "2026-04-12" in tile.inner_text()
        assert "jz-a/h1" in page.locator("main tbody tr").first.inner_text()
        assert wrong == []
