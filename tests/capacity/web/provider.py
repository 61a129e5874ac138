"""A small OpenID Connect provider: code flow with PKCE, one-time codes, signed ID tokens, and faults on request."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "govhub-page", "only-the-test-knows"


@dataclass
class Provider:
    """Knows one person, and lets everybody in as that person."""

    groups: list[str]
    address: str = ""
    name: str = "li.wei"
    wrong: dict[str, Any] = field(default_factory=dict)
    """Claims that replace the right ones; None takes a claim out."""
    foreign_key: bool = False
    """Sign with a key that is not among the published ones."""
    public_client: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    other: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))

    def application(self, address: str) -> Starlette:
        """For the address that it is served on."""
        self.address = address
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _about(self, _: Request) -> Response:
        places = {f"{name}_endpoint": f"{self.address}/{path}" for name, path in _PLACES.items()}
        algorithms = {"id_token_signing_alg_values_supported": ["ES256"]}
        return JSONResponse({"issuer": self.address, "jwks_uri": f"{self.address}/keys", **places, **algorithms})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256", "PKCE is asked for"
        assert asked["nonce"]
        assert asked["state"]
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self.asked.append(request.headers.get("authorization", ""))
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if not self.public_client and request.headers.get("authorization") != expected:
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": "4711",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": self.name,
            "groups": self.groups,
        }
        told = {name: value for name, value in (claims | self.wrong).items() if value is not None}
        token = jwt.encode({"alg": "ES256", "kid": "one"}, told, self.other if self.foreign_key else self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token, "expires_in": 300})


_PLACES = {"authorization": "authorize", "token": "token"}
