"""The token file, the sessions that begin with a token, and forms that come from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from capacity.web.conftest import FAR, OWN
from govhub.core.errors import InvalidInput
from govhub.monitoring.web.access.gate import local_path
from govhub.monitoring.web.access.roles import Role, Visitor
from govhub.monitoring.web.access.tokens import Tokens, add_token

Reach = Callable[[Starlette], httpx.Client]


def word(client: httpx.Client, path: str = "/login") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def test_the_file_holds_no_token_and_is_nobody_elses_business(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "tokens.toml"
    token = add_token(file, name='duty "desk"\n', role=Role.OPERATOR, tenant="", until=FAR)
    again = add_token(file, name="second", role=Role.DEPARTMENT, tenant=OWN, until=FAR)

    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in file.read_text()
    assert Tokens(file).visitor(token) == Visitor('duty "desk"\n', Role.OPERATOR)
    assert Tokens(file).visitor(again) == Visitor("second", Role.DEPARTMENT, OWN)
    assert Tokens(file).visitor(token[:-1]) is None


def test_a_token_ends_with_its_last_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tokens.toml"
    token = add_token(file, name="x", role=Role.OPERATOR, tenant="", until=date(2026, 3, 2))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")
    assert Tokens(file).visitor(token)
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-03")
    assert Tokens(file).visitor(token) is None


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("", 0o640, "open to others"),
        ("=", 0o600, "cannot be read"),
        ("[[token]]\nname = 'x'", 0o600, "token"),
        ("[[token]]\nname='x'\nrole='root'\nsha256='" + "0" * 64 + "'\nuntil=2099-01-01", 0o600, "role"),
        ("[[token]]\nname='x'\nrole='department'\nsha256='" + "0" * 64 + "'\nuntil=2099-01-01", 0o600, "tenant"),
        ("[[token]]\nname='x'\nrole='operator'\nsha256='secret-in-clear'\nuntil=2099-01-01", 0o600, "sha256"),
    ],
)
def test_a_damaged_file_lets_nobody_in_and_is_told_without_secrets(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    file.chmod(mode)

    with pytest.raises(InvalidInput) as error:
        Tokens(file).entries()
    told = str(error.value.diagnostics[0])
    assert error.value.diagnostics[0].code == "WEB002"
    assert said in told
    assert "secret-in-clear" not in told


def test_a_department_needs_a_name_and_nobody_else_has_one(tmp_path: Path) -> None:
    for role, tenant in ((Role.DEPARTMENT, ""), (Role.OPERATOR, OWN), (Role.DEPARTMENT, "../x")):
        with pytest.raises(InvalidInput):
            add_token(tmp_path / "tokens.toml", name="x", role=role, tenant=tenant, until=FAR)


def test_a_session_begins_with_a_token_and_ends_with_it(
    guarded: Starlette, people: dict[str, str], tmp_path: Path, reach: Reach
) -> None:
    client = reach(guarded)
    form = {"token": people["operator"], "csrf": word(client), "next": "/power"}
    answer = client.post("/login", data=form)

    assert (answer.status_code, answer.headers["location"]) == (303, "/power")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert people["operator"] not in answer.headers["set-cookie"]
    assert client.get("/power").status_code == 200
    # Taken out of the file: the session is over at the next request.
    kept = (tmp_path / "tokens.toml").read_text().split("[[token]]")
    (tmp_path / "tokens.toml").write_text("[[token]]".join(part for part in kept if '"operator"' not in part))
    assert client.get("/power").status_code == 303


def test_logging_out_needs_the_sessions_word(guarded: Starlette, people: dict[str, str], reach: Reach) -> None:
    client = reach(guarded)
    client.post("/login", data={"token": people["operator"], "csrf": word(client)})
    inside = word(client, "/network")

    assert client.post("/logout", data={"csrf": "guess"}).status_code == 403
    assert client.get("/network").status_code == 200
    assert client.post("/logout", data={"csrf": inside}).status_code == 303
    assert client.get("/network").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(
    guarded: Starlette, people: dict[str, str], reach: Reach, headers: dict[str, str]
) -> None:
    client = reach(guarded)
    form = {"token": people["operator"], "csrf": word(client)}

    assert client.post("/login", data=form, headers=headers).status_code == 403
    assert client.get("/network").status_code == 303
    assert client.post("/login", data={"token": people["operator"]}).status_code == 403
    assert client.post("/login", data=form | {"token": "govhub_wrong"}).status_code == 401


def test_a_session_of_before_the_login_is_not_taken_over(
    guarded: Starlette, people: dict[str, str], reach: Reach
) -> None:
    client = reach(guarded)
    planted = word(client)
    client.post("/login", data={"token": people["operator"], "csrf": planted})

    assert word(client, "/network") != planted
    forged = client.cookies["govhub"]
    client.cookies.clear()
    client.cookies.set("govhub", forged[:-4] + "AAAA")
    assert client.get("/network").status_code == 303


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/power?hall=a/b", "/power?hall=a/b"),
        ("//evil.example/x", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_the_login_leads_nowhere_else(asked: str, path: str) -> None:
    assert local_path(asked) == path
