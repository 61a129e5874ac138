"""What-ifs over the network: the same document as the command's, its refusals, and a server that stays awake."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from capacity.web.conftest import ROOT, wait_for
from govhub.cli.main import main
from govhub.monitoring.placing.loss import meanings
from govhub.monitoring.web.app import application
from govhub.monitoring.web.documents.whatif import choices
from govhub.monitoring.web.source import MAX_LOST, MAX_SERVERS, Document, Question
from govhub.monitoring.web.whatif import AT_ONCE
from govhub.ops.capacity.serving import HubSource

Reach = Callable[[Starlette], httpx.Client]
Params = list[tuple[str, str | int | float | bool | None]]
PATH = "/api/v1/what-if"


@pytest.fixture(autouse=True)
def same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command looks at the files of the day that the source was made on."""
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(ROOT / "inventories"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")


@pytest.mark.parametrize(
    ("query", "words", "fits"),
    [
        ("servers=10", "--servers 10", True),
        ("servers=400", "--servers 400", False),
        (
            "servers=12&type=leaf-48&place=jz-a%2Fh1%2Fr02&order=pack",
            "--servers 12 --type leaf-48 --place jz-a/h1/r02 --order pack",
            True,
        ),
        ("lose=jz-ups-a&servers=20&type=ai-arm64", "--lose jz-ups-a --servers 20 --type ai-arm64", True),
        ("lose=jz-ups-%7Ba%2Cb%7D", "--lose jz-ups-{a,b}", True),
        ("lose=jz-a/h1/r03/&lose=&lose=jz-crac-1&servers=&type=&place=", "--lose jz-a/h1/r03 --lose jz-crac-1", True),
    ],
)
def test_the_document_is_that_of_the_command(
    source: HubSource, query: str, words: str, fits: bool, reach: Reach, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = reach(application(source)).get(f"{PATH}?{query}")
    code = main(("capacity", "what-if", "jinzhou", *words.split(), "--json"))

    assert answer.status_code == 200
    assert answer.json() == json.loads(capsys.readouterr().out)
    assert (answer.json()["fits"], code) == (fits, 0 if fits else 4)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "USE010"),
        ("servers=0&lose=", "USE010"),
        ("type=server&place=jz-a", "USE010"),
        ("servers=x", "WEB014"),
        ("servers=-1", "WEB014"),
        ("servers=1.5", "WEB014"),
        ("servers=%D9%A3", "WEB014"),
        (f"servers={MAX_SERVERS + 1}", "WEB014"),
        ("servers=99999999999999999999", "WEB014"),
        ("servers=1&order=%27%3B--", "WEB014"),
        ("servers=1&type=nothing-like-it", "FIT011"),
        ("servers=1&place=nowhere", "SEL001"),
        ("servers=1&place=%00", "SEL001"),
        ("lose=nothing-like-it", "FIT010"),
        ("lose=jz-ups-%7Ba", "FIT010"),
        ("lose=jz-ups-%7B3..1%7D", "FIT010"),
        ("lose=%7B1..1000000%7D", "FIT010"),
        (f"lose=jz-a/h1/r01/%7B01..{MAX_LOST}%7D&lose=jz-ups-a", "FIT010"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_code(source: HubSource, query: str, code: str, reach: Reach) -> None:
    answer = reach(application(source)).get(f"{PATH}?{query}")
    document = answer.json()

    assert answer.status_code == 400
    assert document["schema"] == "govhub.error/1"
    assert {item["code"] for item in document["diagnostics"]} == {code}
    assert all(item["hint"] for item in document["diagnostics"])
    assert "Traceback" not in answer.text


def test_too_many_parts_are_refused_before_any_of_them_is_looked_for(source: HubSource, reach: Reach) -> None:
    begun = time.monotonic()
    answer = reach(application(source)).get(PATH, params=[("lose", "{1..90}")] * 40)

    assert "3,600 parts are to be lost, at most 100 can be" in answer.text
    assert len(answer.json()["diagnostics"]) == 1
    assert time.monotonic() - begun < 10


def test_only_operators_may_ask(guarded: Starlette, people: dict[str, str], reach: Reach) -> None:
    client = reach(guarded)
    for role, token in people.items():
        for path in (PATH, "/what-if"):
            answer = client.get(f"{path}?servers=3", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == (200 if role == "operator" else 403), (role, path)
            assert role == "operator" or "jz-a" not in answer.text


def test_the_page_escapes_what_was_asked_and_has_no_script_of_its_own(source: HubSource, reach: Reach) -> None:
    nasty = '"><script>alert(1)</script>'
    client = reach(application(source))
    for query in (
        {"servers": "1", "type": nasty},
        {"servers": nasty},
        {"lose": nasty},
        {"servers": "1", "place": nasty},
    ):
        answer = client.get("/what-if", params=query)
        assert answer.status_code == 400
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert 'role="alert"' in answer.text


def test_the_page_tells_the_document(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    query = "servers=400&lose=jz-a/h1/r03&lose=jz-crac-1"
    document, page = client.get(f"{PATH}?{query}").json(), client.get(f"/what-if?{query}").text
    found = document["placements"][0]

    assert not document["fits"]
    assert "Does not fit" in page
    assert f"{found['placed']} / {found['wanted']}" in page
    for item in [*found["kept_out"], *found["ran_full"]]:
        assert not item["source"] or f"{item['source']['file']}:{item['source']['line']}" in page
    assert all(f">{row['row']} <b>{row['machines']}</b>" in page.replace("<li>", ">") for row in found["rows"])
    assert all(f'href="/rack/{rack}"' in page for rack in document["lost"]["racks"]["dark"])
    assert "Does not fit" not in client.get("/what-if?servers=3").text


def test_a_loss_that_overloads_nothing_and_darkens_a_site_gets_no_tick(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))

    assert client.get(f"{PATH}?lose=jz-a").json()["fits"]
    dark, harmless = client.get("/what-if?lose=jz-a").text, client.get("/what-if?lose=jz-ups-a").text
    assert "verdict-but" in dark
    assert "✓" not in dark
    assert "✓" in harmless


def test_names_that_are_suggested_are_names_that_may_be_lost(source: HubSource) -> None:
    columns = source.halls().columns
    found = choices(columns)

    assert all(len(meanings(columns, name)) == 1 for name in found["parts"])
    assert all(columns.inside(place).any() for place in found["places"])
    for group in found["types"].values():
        for item in group:
            question = Question(servers=1, type=item["name"])
            machine = source.what_if(question)["placements"][0]["machine"]
            assert (machine["units"], machine["watts"]) == (item["units"], item["watts"])


def test_openapi_says_what_it_takes(source: HubSource, reach: Reach) -> None:
    document = reach(application(source)).get("/api/v1/openapi.json").json()
    operation = document["paths"][PATH]["get"]
    schemas = {item["name"]: item["schema"] for item in operation["parameters"]}

    assert schemas["servers"] == {"type": "integer", "minimum": 0, "maximum": MAX_SERVERS}
    assert schemas["lose"] == {"type": "array", "items": {"type": "string"}, "maxItems": MAX_LOST}
    assert schemas["order"]["enum"] == ["pack", "spread"]
    assert operation["responses"]["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")


class Slow(HubSource):
    """Takes its time, and counts how many ask at once."""

    def __init__(self, hub: str = "jinzhou") -> None:
        super().__init__(hub)
        self.go, self.lock = threading.Event(), threading.Lock()
        self.now = self.most = self.done = 0

    def what_if(self, question: Question) -> Document:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go.wait(20)
        with self.lock:
            self.now -= 1
            self.done += 1
        return super().what_if(question)


def test_few_are_worked_out_at_once_and_the_server_answers_others_meanwhile(reach: Reach) -> None:
    source = Slow()
    client = reach(application(source, every=3600))
    statuses: list[Any] = []
    askers = [
        threading.Thread(target=lambda n=n: statuses.append(client.get(f"{PATH}?servers={n + 1}").status_code))
        for n in range(AT_ONCE + 3)
    ]
    for asker in askers:
        asker.start()
    try:
        wait_for(lambda: source.now == AT_ONCE)
        for _ in range(5):
            assert client.get("/healthz").status_code == 200
            assert client.get("/api/v1/overview").status_code == 200
        assert source.done == 0
    finally:
        source.go.set()
    for asker in askers:
        asker.join(30)
    assert statuses == [200] * len(askers)
    assert source.most == AT_ONCE


def test_the_same_question_is_worked_out_once_until_the_files_change(tmp_path: Path, reach: Reach) -> None:
    folder = Path(shutil.copytree(ROOT / "inventories" / "jinzhou", tmp_path / "jinzhou"))
    source = Slow(str(folder))
    source.go.set()
    client = reach(application(source, every=3600))

    first = client.get(f"{PATH}?servers=400").json()
    assert client.get("/what-if?servers=400&lang=zh").status_code == 200
    assert client.get(f"{PATH}?servers=400&type=&order=spread").json() == first
    assert source.done == 1
    sites = folder / "sites.yaml"
    text = sites.read_text()
    assert "standard_rack_kw: 2.5" in text
    sites.write_text(text.replace("standard_rack_kw: 2.5", "standard_rack_kw: 3"))
    source.refresh()
    after = client.get(f"{PATH}?servers=400").json()
    assert source.done == 2
    assert after["placements"][0]["placed"] > first["placements"][0]["placed"]
