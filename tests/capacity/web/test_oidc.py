"""Login through a real provider process: what it vouches for, and every way in which that must not be believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from capacity.web.conftest import OWN, serving
from capacity.web.provider import CLIENT, SECRET, Provider
from govhub.core.errors import InvalidInput
from govhub.monitoring.web.access.gate import Gate
from govhub.monitoring.web.access.oidc import Oidc, read_provider
from govhub.monitoring.web.access.oidc import Provider as Told
from govhub.monitoring.web.app import application
from govhub.ops.capacity.server import groups_of
from govhub.ops.capacity.serving import HubSource


@contextmanager
def page_behind(source: HubSource, provider: Provider, secret: str = SECRET) -> Iterator[httpx.Client]:
    """The page, with ``provider`` on a socket of its own."""
    groups = groups_of(source.halls().columns.hub)
    with serving(make=provider.application) as issuer:
        told = Told(issuer=issuer, client_id=CLIENT, operators=["dc-operations"], title="City login")
        with (
            serving(make=lambda own: application(source, Gate(None, Oidc(told, secret, own, groups)))) as address,
            httpx.Client(base_url=address, timeout=30, trust_env=False, follow_redirects=False) as client,
        ):
            yield client


def walk(client: httpx.Client, path: str) -> httpx.Response:
    """Follow redirects as a browser does, but only while there are some."""
    answer = client.get(path)
    for _ in range(8):
        if answer.status_code not in (302, 303):
            break
        answer = client.get(answer.headers["location"])
    return answer


def test_a_member_of_the_operators_group_gets_where_he_wanted(source: HubSource) -> None:
    provider = Provider(["somebody", "dc-operations"])
    with page_behind(source, provider) as client:
        first = client.get("/network")
        assert first.headers["location"] == "/login?next=/network"
        assert "City login" in client.get(first.headers["location"]).text
        answer = walk(client, "/login/oidc?next=/network")

        assert (answer.status_code, answer.url.path) == (200, "/network")
        assert client.get("/api/v1/me").json()["role"] == "operator"
        assert len(provider.asked) == 1
        cookie = client.cookies["govhub"]
        assert "id_token" not in cookie
        assert walk(client, "/login").url.path == "/", "who is known needs no login"


def test_a_department_is_found_by_its_directory_group(source: HubSource) -> None:
    with page_behind(source, Provider([f"jinzhou:{OWN}:viewer", f"jinzhou:{OWN}:admin"])) as client:
        assert walk(client, "/login/oidc").url.path == "/departments"
        me = client.get("/api/v1/me").json()
        assert (me["name"], me["role"], me["tenant"]) == ("li.wei", "department", OWN)
        assert client.get("/api/v1/overview").status_code == 403


@pytest.mark.parametrize(
    "groups", [[], ["guests"], [f"jinzhou:{OWN}:viewer", "jinzhou:finance:viewer"], "dc-operations"]
)
def test_who_belongs_to_no_group_or_to_two_departments_gets_nowhere(source: HubSource, groups: Any) -> None:
    with page_behind(source, Provider(groups)) as client:
        assert walk(client, "/login/oidc").status_code == 403
        assert client.get("/api/v1/me").status_code == 401


FAULTS: dict[str, Callable[[Provider], None]] = {
    "nonce of another login": lambda provider: provider.wrong.update(nonce="another"),
    "no nonce": lambda provider: provider.wrong.update(nonce=None),
    "expired": lambda provider: provider.wrong.update(exp=int(time.time()) - 3600, iat=int(time.time()) - 7200),
    "no end": lambda provider: provider.wrong.update(exp=None),
    "for another client": lambda provider: provider.wrong.update(aud="another"),
    "no audience": lambda provider: provider.wrong.update(aud=None),
    "of another issuer": lambda provider: provider.wrong.update(iss="https://elsewhere.example"),
    "signed by somebody else": lambda provider: setattr(provider, "foreign_key", True),
    "nobody's name": lambda provider: provider.wrong.update(sub=None, preferred_username=""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_is_not_right_is_refused(source: HubSource, fault: str) -> None:
    provider = Provider(["dc-operations"])
    FAULTS[fault](provider)
    with page_behind(source, provider) as client:
        answer = walk(client, "/login/oidc")

        assert (answer.status_code, answer.url.path) == (403, "/login/back")
        assert "did not confirm" in answer.text
        assert client.get("/api/v1/me").status_code == 401
        assert len(provider.asked) == 1, "it got as far as the token"


def test_state_code_and_secret_have_to_be_right(source: HubSource) -> None:
    provider = Provider(["dc-operations"])
    with page_behind(source, provider) as client:
        assert client.get("/login/back?code=x&state=y").status_code == 403
        assert client.get("/login/back").status_code == 403
        assert client.get("/login/back?error=access_denied&state=y").status_code == 403
        away = client.get("/login/oidc").headers["location"]
        back = client.get(away).headers["location"]
        assert client.get(back.replace("state=", "state=x")).status_code == 403
        assert provider.asked == [], "a wrong state ends before the provider is asked"
        assert client.get(back).status_code == 303
        assert client.get(back).status_code == 403, "each state is good once"
    with page_behind(source, Provider(["dc-operations"]), secret="wrong") as client:
        assert walk(client, "/login/oidc").status_code == 403


def test_another_browser_cannot_finish_a_login(source: HubSource) -> None:
    with page_behind(source, Provider(["dc-operations"])) as client:
        back = client.get(client.get("/login/oidc").headers["location"]).headers["location"]
        with httpx.Client(base_url=client.base_url, trust_env=False) as other:
            assert other.get(back).status_code == 403
            assert other.get("/api/v1/me").status_code == 401


def test_a_provider_that_is_away_is_told(source: HubSource) -> None:
    told = Told(issuer="http://127.0.0.1:9", client_id=CLIENT)
    app = application(source, Gate(None, Oidc(told, "", "http://127.0.0.1")))
    with serving(app) as address:
        answer = httpx.get(f"{address}/login/oidc", timeout=30, trust_env=False)

        assert (answer.status_code, answer.json()["diagnostics"][0]["code"]) == (503, "WEB007")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "issuer"),
        ('issuer = "https://x"', "client_id"),
        ('issuer = "http://idp.example"\nclient_id = "x"', "https"),
        ('issuer = "https://x"\nclient_id = "x"\ncolour = 1', "colour"),
        ("=", "cannot be read"),
        ('issuer = "https://x"\nclient_id = "x"\nclient_secret_file = "open"', "open to others"),
        ('issuer = "https://x"\nclient_id = "x"\nclient_secret_file = "none"', "cannot be read"),
    ],
)
def test_a_wrong_file_is_told_without_its_secret(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "open").write_text("geheim")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "oidc.toml").write_text(text)

    with pytest.raises(InvalidInput) as error:
        read_provider(tmp_path / "oidc.toml")
    assert error.value.diagnostics[0].code == "WEB006"
    assert said in str(error.value.diagnostics[0])
    assert "geheim" not in str(error.value.diagnostics[0])
