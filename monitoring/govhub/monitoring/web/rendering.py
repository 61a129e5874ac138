"""Templates, escaped by default, with what every page needs."""

from __future__ import annotations

import json
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from govhub.monitoring import words
from govhub.monitoring.forecast.exhaustion import TOLD
from govhub.monitoring.web import shape
from govhub.monitoring.web.access.gate import csrf_of
from govhub.monitoring.web.access.roles import Role, Visitor
from govhub.monitoring.web.answers import packed
from govhub.monitoring.web.source import Source
from govhub.monitoring.web.texts import LANGUAGES, catalogue, chosen

TEMPLATES = Path(__file__).with_name("templates")
REFRESH_SECONDS = 15
"""How often an open page looks for news."""
_KEPT = 128


class Pages:
    """Renders pages; what was rendered of one state for one kind of visitor is kept until the state changes."""

    def __init__(self, source: Source, *, login: bool) -> None:
        self.source = source
        self.login = login
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols"],
        )

    def render(self, request: Request, visitor: Visitor | None, name: str, **values: Any) -> Response:
        """A page in the reader's language; ``?lang`` is kept in a cookie."""
        asked = request.query_params.get("lang")
        language = language_of(request)
        body = self._body(request, visitor, name, language, values)
        answer = packed(request, body, "text/html; charset=utf-8")
        answer.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
        answer.headers["Content-Language"] = "zh-CN" if language == "zh" else "en"
        if asked in LANGUAGES:
            answer.set_cookie("lang", asked, max_age=31_536_000, samesite="lax", httponly=True)
        return answer

    def look(self, request: Request) -> words.Look:
        """Texts in the language of a request."""
        return catalogue(language_of(request)).gettext

    def _body(
        self, request: Request, visitor: Visitor | None, name: str, language: str, values: dict[str, Any]
    ) -> bytes:
        csrf = csrf_of(request)
        key = (str(request.url), language, visitor, csrf, name, self.source.version, values.get("problem"))
        if key not in self._kept or values.get("fresh"):
            context = self._context(request, visitor, language) | {"csrf": csrf} | values
            self._kept[key] = self.environment.get_template(name).render(context).encode()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def offline(self, request: Request, visitor: Visitor, **values: Any) -> bytes:
        """The one file with everything in it: no link, no script, no picture from elsewhere."""
        language = language_of(request)
        context = self._context(request, visitor, language) | {"csrf": "", "offline": True, "to": _unlinked} | values
        return self.environment.get_template("export.html").render(context).encode()

    def _context(self, request: Request, visitor: Visitor | None, language: str) -> dict[str, Any]:
        query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
        return self.helpers(language) | {
            "path": request.url.path,
            "query": query,
            "visitor": visitor,
            "operator": bool(visitor and visitor.role is Role.OPERATOR),
            "login": self.login,
            "status": self.source.status() if visitor else None,
            "hub": self.source.hub,
            "refresh": REFRESH_SECONDS,
            "offline": False,
        }

    def helpers(self, language: str) -> dict[str, Any]:
        """Functions that write values in a language."""
        look = catalogue(language).gettext
        shapes = ("number", "kilowatts", "scaled", "unit", "percent", "coverage", "told", "age", "moment", "behind")
        return {
            "_": look,
            "lang": language,
            "languages": LANGUAGES,
            **{name: _last(getattr(shape, name), look) for name in shapes},
            "level": shape.level,
            "resource": partial(words.resource, look=look),
            "figure": partial(words.figure, look=look),
            "words": words,
            # Without one of these a date that is missing is unknown; with it, none is foreseen.
            "foreseen": frozenset(TOLD),
            "data": data,
            "to": linked,
        }


def language_of(request: Request) -> str:
    """The language of a request."""
    header = request.headers.get("accept-language", "")
    return chosen(request.query_params.get("lang"), request.cookies.get("lang"), header)


def data(value: Any) -> Markup:
    """JSON that may stand within a ``<script type="application/json">``: nothing in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  # escaped above, for where it stands


def linked(path: str, text: object, **query: str) -> Markup:
    """A link within this server."""
    asked = f"?{urlencode(query)}" if query else ""
    return Markup('<a href="{}{}">{}</a>').format(quote(path), asked, text)


def _unlinked(path: str, text: object, **query: str) -> object:  # noqa: ARG001  # as ``linked``
    return text


def _last(function: Any, look: words.Look) -> Any:
    """``function`` with the language filled in, whatever comes before."""

    def written(*values: Any, **more: Any) -> str:
        return str(function(*values, look=look, **more))

    return written
