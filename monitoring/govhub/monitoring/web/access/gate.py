"""From a request to who asks: a bearer token, a session, or anybody on a loopback address without login."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request

from govhub.monitoring.web.access.roles import LOCAL, Role, Visitor
from govhub.monitoring.web.access.tokens import Tokens, digest_of, visitor_of

if TYPE_CHECKING:
    from govhub.monitoring.web.access.oidc import Oidc

SESSION_SECONDS = 8 * 3600
"""A shift; then one logs in again."""
MAX_TOKEN = 200
_SAFE_SITES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Gate:
    """How one gets in: by a token of the file, through an identity provider, both, or neither (loopback alone)."""

    tokens: Tokens | None = None
    oidc: Oidc | None = None

    @property
    def open(self) -> bool:
        """Whether everybody who can connect is an operator."""
        return self.tokens is None and self.oidc is None

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks; None for nobody known.

        Raises:
            InvalidInput: the token file is damaged: nobody gets in by it.
        """
        if self.open:
            return LOCAL
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.tokens.visitor(token.strip()) if self.tokens and len(token) <= MAX_TOKEN else None
        return self._of_session(request.session)

    def enter_by_token(self, request: Request, token: str) -> Visitor | None:
        """Begin a session with a token; None when it is not known."""
        found = self.tokens.visitor(token) if self.tokens and len(token) <= MAX_TOKEN else None
        if found:
            self._begin(request, {"digest": digest_of(token)})
        return found

    def enter_as(self, request: Request, visitor: Visitor) -> None:
        """Begin a session for somebody whom the identity provider vouches for."""
        about = {"name": visitor.name, "role": visitor.role.value, "tenant": visitor.tenant}
        self._begin(request, about)

    def _begin(self, request: Request, about: dict[str, Any]) -> None:
        # Nothing of before: a session that somebody else planted must not become a logged-in one.
        request.session.clear()
        request.session.update(about | {"until": int(time.time()) + SESSION_SECONDS, "csrf": _random()})

    def _of_session(self, session: dict[str, Any]) -> Visitor | None:
        if session.get("until", 0) < time.time():
            return None
        if "digest" in session:
            # Asked again each time: a token that was taken out ends its sessions too.
            entry = self.tokens.entry(session["digest"]) if self.tokens else None
            return visitor_of(entry) if entry else None
        if self.oidc is None or "role" not in session:
            return None
        return Visitor(session["name"], Role(session["role"]), session["tenant"])


def csrf_of(request: Request) -> str:
    """The session's word that forms send back."""
    if "csrf" not in request.session:
        request.session["csrf"] = _random()
    return str(request.session["csrf"])


def from_here(request: Request, word: str, *, bearer: bool = False) -> bool:
    """Whether a POST comes from a page of ours: the browser says so, and the session's word is right.

    With ``bearer``, for endpoints that the gate has let somebody into, what brings a token needs neither: no browser
    sends one by itself.
    """
    if bearer and request.headers.get("authorization", "").lower().startswith("bearer "):
        return True
    if request.headers.get("sec-fetch-site", "none") not in _SAFE_SITES:
        return False
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    own = str(request.session.get("csrf", ""))
    return bool(own) and hmac.compare_digest(own.encode(), word.encode())


def local_path(text: str) -> str:
    """A path on this server to go on to after the login; the first page for anything else."""
    plain = text.isprintable() and len(text) < 500 and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


def _random() -> str:
    return secrets.token_urlsafe(18)
