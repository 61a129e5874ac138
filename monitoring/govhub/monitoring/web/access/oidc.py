"""Login through an OpenID Connect provider: authorization code with PKCE, signed ID tokens, groups as roles."""

from __future__ import annotations

import stat
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from govhub.core.errors import InvalidInput, TargetUnreachable
from govhub.monitoring.web.access.roles import Role, Visitor
from govhub.monitoring.web.texts import tr

BACK = "/login/back"
SECONDS = 10.0
"""For each step of a conversation with the provider."""
LEEWAY = 30
"""Seconds that the clocks of both may differ."""
_FAILED = tr("The identity provider did not confirm this login. Please try again.")
_NO_ROLE = tr("You are known, but belong to no group that may see this.")


class Provider(BaseModel):
    """The file that ``--oidc`` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(max_length=500)
    """As in the provider's own tokens; ``/.well-known/openid-configuration`` is below it."""
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: str = ""
    """A file with mode 600 that holds it; empty for a public client."""
    title: str = Field(default="OpenID Connect", max_length=80)
    """What the button says."""
    groups_claim: str = Field(default="groups", max_length=80)
    name_claim: str = Field(default="preferred_username", max_length=80)
    operators: list[str] = Field(default=[], max_length=100)
    """Groups whose members see everything."""


def read_provider(path: Path) -> tuple[Provider, str]:
    """A provider's file, and the client's secret.

    Raises:
        InvalidInput: it cannot be read, or is not what it should be; the secret is open to others.
    """
    try:
        found = Provider.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        text = f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InvalidInput.one("WEB006", text, hint="docs/guide/capacity-web.md shows such a file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput.one("WEB006", f"{path} cannot be read: {error}") from error
    issuer = urlsplit(found.issuer)
    local = issuer.hostname in ("127.0.0.1", "localhost", "::1")
    if issuer.scheme != "https" and not (local and issuer.scheme == "http"):
        text = f"{path}: the issuer is reached over something else than https"
        raise InvalidInput.one("WEB006", text, hint="anybody in between could log in as anybody")
    return found, _secret(path.parent / found.client_secret_file) if found.client_secret_file else ""


def _secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("WEB006", f"the client's secret cannot be read: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput.one("WEB006", f"{path} is open to others", hint=f"chmod 600 {path}")
    return text


@dataclass(slots=True)
class Oidc:
    """The client of a provider; ``groups`` leads from a directory group to the department whose rows it may see."""

    provider: Provider
    secret: str
    own: str
    """How browsers reach this server: ``https://host``; the way back is below it."""
    groups: dict[str, str] = field(default_factory=dict)
    _client: Any = None

    @property
    def title(self) -> str:
        """The provider's name for people."""
        return self.provider.title

    async def away(self, request: Request) -> Response:
        """Send the browser to the provider, with state, nonce and the challenge of PKCE in its session.

        Raises:
            TargetUnreachable: the provider does not answer.
        """
        try:
            answer: Response = await self._known().authorize_redirect(request, self.own + BACK)
        except _errors() as error:
            raise TargetUnreachable.one("WEB007", "the identity provider does not answer") from error
        return answer

    async def visitor(self, request: Request) -> tuple[Visitor | None, str]:
        """Who came back, or why nobody is let in.

        Signature, issuer, audience, nonce and times of the ID token are checked by the library; state and the verifier
        of PKCE come from the session. What exactly was wrong is no business of the browser.
        """
        client = self._known()
        try:
            token = await client.authorize_access_token(
                request,
                claims_options={
                    "iss": {"essential": True, "value": self.provider.issuer},
                    "aud": {"essential": True, "value": self.provider.client_id},
                    "exp": {"essential": True},
                    "nonce": {"essential": True},
                },
                leeway=LEEWAY,
            )
        except _errors():
            return None, _FAILED
        claims = token.get("userinfo")
        return self._as_visitor(claims) if claims else (None, _FAILED)

    def _as_visitor(self, claims: dict[str, Any]) -> tuple[Visitor | None, str]:
        name = str(claims.get(self.provider.name_claim) or claims.get("sub") or "")[:80]
        told = claims.get(self.provider.groups_claim)
        groups = [str(item) for item in told] if isinstance(told, list) else []
        if not name:
            return None, _FAILED
        if set(groups) & set(self.provider.operators):
            return Visitor(name, Role.OPERATOR), ""
        tenants = sorted({self.groups[group] for group in groups if group in self.groups})
        # One department: who is in several has to say which, and nothing here asks.
        return (Visitor(name, Role.DEPARTMENT, tenants[0]), "") if len(tenants) == 1 else (None, _NO_ROLE)

    def _known(self) -> Any:
        if self._client is None:
            # It says that another HTTP library will be asked for, whatever one thinks of warnings; we have this one.
            with warnings.catch_warnings(record=True):
                from authlib.integrations.starlette_client import OAuth
            registry = OAuth()
            self._client = registry.register(
                "provider",
                client_id=self.provider.client_id,
                client_secret=self.secret or None,
                server_metadata_url=self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration",
                client_kwargs={
                    "scope": "openid profile",
                    "code_challenge_method": "S256",
                    "timeout": SECONDS,
                    "trust_env": False,
                    "token_endpoint_auth_method": "client_secret_basic" if self.secret else "none",
                },
            )
        return self._client


def _errors() -> tuple[type[Exception], ...]:
    """What may come of talking to somebody else: protocol, signature, network, answers that are no JSON."""
    with warnings.catch_warnings(record=True):
        from authlib.common.errors import AuthlibBaseError
    import httpx
    from joserfc.errors import JoseError

    return (AuthlibBaseError, JoseError, httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError)
