"""Logging in and out."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from govhub.monitoring.web.access.gate import Gate, from_here, local_path
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.endpoints import Endpoint
from govhub.monitoring.web.limits import read_body
from govhub.monitoring.web.rendering import Pages
from govhub.monitoring.web.texts import tr

HTML = "text/html"
FORM = "application/x-www-form-urlencoded"
MAX_FORM = 4096
_NOT_OURS = tr("This form was too old or came from elsewhere. Please try again.")
_NOT_KNOWN = tr("This token is not known, or has ended.")


def login_endpoints(gate: Gate, pages: Pages) -> list[Endpoint]:
    """The login page, and its two ways in."""
    own = _Login(gate, pages)
    found = [
        Endpoint(path="/login", handler=own.page, audience=Audience.PUBLIC, about="The login page", media=HTML),
        Endpoint(
            path="/login",
            handler=own.by_token,
            audience=Audience.PUBLIC,
            about="Log in with a token",
            method="POST",
            media=HTML,
            body=FORM,
            limit=MAX_FORM,
        ),
        Endpoint(
            path="/logout",
            handler=own.leave,
            audience=Audience.PUBLIC,
            about="Log out",
            method="POST",
            media=HTML,
            body=FORM,
            limit=MAX_FORM,
        ),
    ]
    if gate.oidc:
        about = "Log in through the identity provider"
        found += [
            Endpoint(path="/login/oidc", handler=own.away, audience=Audience.PUBLIC, about=about, media=HTML),
            Endpoint(path="/login/back", handler=own.back, audience=Audience.PUBLIC, about="The way back", media=HTML),
        ]
    return found


class _Login:
    """Handlers of the login."""

    def __init__(self, gate: Gate, pages: Pages) -> None:
        self.gate = gate
        self.pages = pages

    async def page(self, request: Request, visitor: Visitor | None) -> Response:
        """What ways there are."""
        if visitor is not None:
            return RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
        return self._page(request)

    async def by_token(self, request: Request, _: object) -> Response:
        """A form with a token."""
        form = await form_of(request)
        if not from_here(request, form.get("csrf", "")):
            return self._page(request, _NOT_OURS, 403)
        if self.gate.enter_by_token(request, form.get("token", "").strip()) is None:
            return self._page(request, _NOT_KNOWN, 401)
        return RedirectResponse(local_path(form.get("next", "/")), 303)

    async def leave(self, request: Request, _: object) -> Response:
        """The session ends."""
        form = await form_of(request)
        if not from_here(request, form.get("csrf", "")):
            return self._page(request, _NOT_OURS, 403)
        request.session.clear()
        return RedirectResponse("/login", 303)

    async def away(self, request: Request, _: object) -> Response:
        """To the identity provider."""
        assert self.gate.oidc is not None
        request.session["next"] = local_path(request.query_params.get("next", "/"))
        return await self.gate.oidc.away(request)

    async def back(self, request: Request, _: object) -> Response:
        """From there, with a code or an error."""
        assert self.gate.oidc is not None
        onward = local_path(request.session.get("next", "/"))
        visitor, refusal = await self.gate.oidc.visitor(request)
        if visitor is None:
            return self._page(request, refusal, 403)
        self.gate.enter_as(request, visitor)
        return RedirectResponse(onward, 303)

    def _page(self, request: Request, problem: str = "", status: int = 200) -> Response:
        onward = local_path(request.query_params.get("next", "/"))
        answer = self.pages.render(
            request,
            None,
            "login.html",
            problem=problem,
            onward=onward,
            tokens=self.gate.tokens is not None,
            oidc=self.gate.oidc.title if self.gate.oidc else "",
            fresh=True,
        )
        answer.status_code = status
        return answer


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name.

    Raises:
        BodyTooLarge, BodyTooSlow: it is more than a login's form.
    """
    body = await read_body(request.receive, MAX_FORM)
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20, keep_blank_values=True)
    except ValueError:
        # More fields than any form of ours has.
        return {}
    return {name: values[0] for name, values in found.items()}
