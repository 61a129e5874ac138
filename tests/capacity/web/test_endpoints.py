"""Every endpoint, found by asking the application for its routes: who gets in, what is seen, how it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from capacity.web.conftest import OTHER, OWN
from govhub.monitoring.web.access.roles import Audience
from govhub.monitoring.web.app import application
from govhub.monitoring.web.endpoints import Endpoint
from govhub.monitoring.web.limits import HEADERS
from govhub.ops.capacity.serving import HubSource

RACK, HALL = "jz-a/h1/r02/02", "jz-a/h1"
Reach = Callable[[Starlette], httpx.Client]
FILLED = {"{address:path}": RACK, "{name:path}": "page.css"}
QUERIES = {"/api/v1/power": {"hall": HALL}, "/api/v1/diff": {"against": "HEAD"}, "/api/v1/what-if": {"servers": "3"}}


def endpoints(app: Starlette) -> list[Endpoint]:
    found: list[Endpoint] = app.state.endpoints
    return found


def path_of(endpoint: Endpoint) -> str:
    path = endpoint.path
    for pattern, value in FILLED.items():
        path = path.replace(pattern, value)
    assert "{" not in path, "fill in the new parameter"
    return path


def ask(client: httpx.Client, endpoint: Endpoint, token: str = "", **headers: str) -> Any:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    more = {"params": QUERIES.get(endpoint.path)} if endpoint.method == "GET" else {"content": b"{}"}
    return client.request(endpoint.method, path_of(endpoint), headers=headers, follow_redirects=False, **more)


def test_the_table_is_all_that_is_served(guarded: Starlette) -> None:
    routes = {
        (route.path, method) for route in guarded.routes if isinstance(route, Route) for method in route.methods or ()
    }
    table = [(item.path, item.method) for item in endpoints(guarded)]

    assert len(guarded.routes) == len(table) == len(set(table))
    assert {(path, method) for path, method in routes if method != "HEAD"} == set(table)


def test_nobody_gets_into_what_is_not_public(guarded: Starlette, reach: Reach) -> None:
    client = reach(guarded)
    for endpoint in endpoints(guarded):
        answer = ask(client, endpoint)
        if endpoint.audience is Audience.PUBLIC:
            assert answer.status_code in (200, 401, 403), endpoint.path
        elif endpoint.media == "text/html" and endpoint.method == "GET":
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), endpoint.path
            assert answer.content == b""
        else:
            assert answer.status_code == 401, endpoint.path
        assert RACK not in answer.text
        assert ask(client, endpoint, "govhub_wrong").status_code == answer.status_code


def test_each_role_gets_what_is_for_it(guarded: Starlette, people: dict[str, str], reach: Reach) -> None:
    client = reach(guarded)
    for endpoint in endpoints(guarded):
        if endpoint.audience is Audience.PUBLIC:
            continue
        statuses = {role: ask(client, endpoint, token).status_code for role, token in people.items()}
        readers = endpoint.audience is Audience.READERS
        assert (statuses["department"] == 403) is not readers, endpoint.path
        scrapers = endpoint.audience is Audience.SCRAPERS
        assert statuses["scraper"] == (200 if scrapers else 403), endpoint.path
        assert statuses["operator"] in ((200, 400) if endpoint.method == "POST" else (200,)), endpoint.path


def test_a_department_sees_no_other_department_and_no_rack_anywhere(
    guarded: Starlette, people: dict[str, str], source: HubSource, reach: Reach
) -> None:
    client = reach(guarded)
    others = [item["tenant"] for item in source.departments()["departments"] if item["tenant"] != OWN]
    # A department has the name that methods of forms have.
    others.remove("post")
    seen = 0
    for endpoint in endpoints(guarded):
        answer = ask(client, endpoint, people["department"], Accept="text/html")
        words = set(answer.text.replace('"', " ").replace("<", " ").replace(">", " ").split())
        assert words & set(others) == set(), endpoint.path
        assert HALL not in answer.text, endpoint.path
        seen += OWN in words
    assert seen >= 3, "its own rows are there: page, API, and who asks"
    own = client.get("/api/v1/departments", headers={"Authorization": f"Bearer {people['department']}"}).json()
    assert [row["tenant"] for row in own["departments"]] == [OWN]
    everybody = client.get("/api/v1/departments", headers={"Authorization": f"Bearer {people['operator']}"}).json()
    assert {OWN, OTHER} <= {row["tenant"] for row in everybody["departments"]}


def test_every_answer_is_made_safe(guarded: Starlette, people: dict[str, str], reach: Reach) -> None:
    client = reach(guarded)
    for endpoint in endpoints(guarded):
        for token in ("", people["operator"]):
            headers = ask(client, endpoint, token).headers
            missing = [name for name in HEADERS if name not in headers]
            assert missing == [], endpoint.path
            assert "unsafe-inline' 'self'" not in headers["content-security-policy"]
            assert "script-src 'self'" in headers["content-security-policy"] or endpoint.path == "/export"
            assert "server" not in headers
    assert "x-frame-options" in client.get("/nowhere").headers


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_openapi_document_is_of_the_routes_that_are_served(guarded: Starlette, reach: Reach) -> None:
    document = reach(guarded).get("/api/v1/openapi.json").json()
    told = {(path, method.upper()) for path, method, _ in operations(document)}
    served = {(item.path.replace(":path}", "}"), item.method) for item in endpoints(guarded)}

    assert document["openapi"].startswith("3.1")
    assert told == served
    names = [operation["operationId"] for *_, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, _, operation in operations(document):
        declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert declared == {part.strip("{}") for part in path.split("/") if part.startswith("{")}, path


def test_every_document_says_its_schema_and_hub(source: HubSource, reach: Reach) -> None:
    app = application(source)
    client = reach(app)
    for endpoint in endpoints(app):
        if endpoint.path.startswith("/api/v1") and endpoint.media == "application/json" and endpoint.method == "GET":
            document = ask(client, endpoint).json()
            if "openapi" not in document and "lists" not in document:
                assert document["schema"] == "govhub.capacity/1", endpoint.path
                assert document.get("hub", "jinzhou") == "jinzhou"


def test_the_api_tells_what_the_command_tells(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    overview = client.get("/api/v1/overview").json()
    page = client.get("/api/v1/racks", params={"place": HALL, "sort": "feed", "limit": 5}).json()
    rest = client.get("/api/v1/racks", params={"place": HALL, "sort": "feed", "limit": 1000, "offset": 5}).json()

    assert overview == json.loads(json.dumps(source.overview()))
    assert len(page["racks"]) == 5
    assert (
        page["count"] == 5 + len(rest["racks"]) == source.overview()["halls"][0]["figures"]["space"]["coverage"]["of"]
    )
    assert {row["rack"] for row in page["racks"]}.isdisjoint(row["rack"] for row in rest["racks"])
    assert client.get(f"/api/v1/racks/{RACK}").json()["rack"] == RACK


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/racks?limit=0", 400),
        ("/api/v1/racks?limit=1001", 400),
        ("/api/v1/racks?limit=-1", 400),
        ("/api/v1/racks?limit=%D9%A3", 400),
        ("/api/v1/racks?offset=99999999999999999999", 400),
        ("/api/v1/racks?sort=%27%3B--", 400),
        ("/api/v1/racks?place=nowhere", 404),
        ("/api/v1/racks/jz-a/h1/r01/99", 404),
        ("/api/v1/power", 404),
        ("/api/v1/diff?against=no-such-revision", 400),
        ("/api/v1/diff?against=--help", 400),
        ("/api/v1/diff", 400),
        ("/rack/%00", 404),
        ("/assets/../app.py", 404),
        ("/assets/%2e%2e/app.py", 404),
        ("/assets/..%2fapp.py", 404),
        ("/assets//etc/passwd", 404),
        ("/api/v1/racks?place=" + "x" * 5000, 414),
    ],
)
def test_what_makes_no_sense_is_told(source: HubSource, path: str, status: int, reach: Reach) -> None:
    answer = reach(application(source)).get(path)

    assert answer.status_code == status
    assert "Traceback" not in answer.text
    if status in (400, 404) and not path.startswith("/assets/.."):
        assert answer.json()["diagnostics"][0]["code"].startswith(("WEB", "REV"))
