"""The one home of pynetbox: objects of NetBox as plain mappings, read page by page and written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pynetbox
import requests
from requests.adapters import HTTPAdapter

from govhub.core.errors import GovhubError, InvalidInput, TargetUnreachable
from govhub.core.secrets import REDACTOR, Secret

Object = dict[str, Any]
PAGE = 500
BULK = 200
"""Objects of one writing request: NetBox checks each of them, and its proxy waits a minute or so."""
_SHOWN = 300
T = TypeVar("T")


class _Patient(HTTPAdapter):
    """Every request has a limit of time; pynetbox sets none."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def send(self, *args: Any, **more: Any) -> requests.Response:
        more["timeout"] = self._seconds
        return super().send(*args, **more)


class NetBox:
    """One NetBox, spoken to with one token."""

    def __init__(self, url: str, token: Secret, *, timeout: float = 60) -> None:
        """Nothing is asked yet.

        Args:
            url: Its address, as people open it.
            token: An API token of version 1 or 2.
            timeout: Seconds to wait for each answer.

        Raises:
            InvalidInput: the address is no http(s) address, or holds a password (NBX001).
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            hint = "give it as https://netbox.example.org, without user, password or query"
            raise InvalidInput.one("NBX001", "that is no address of a NetBox", hint=hint)
        self.url = url.rstrip("/").removesuffix("/api")
        self._api = pynetbox.api(self.url, token=REDACTOR.add(token).reveal())
        session = requests.Session()
        # A redirect would carry the token to wherever it leads.
        session.max_redirects = 0
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Patient(timeout))
        self._api.http_session = session

    def version(self) -> str:
        """Its version; the first thing to ask, since it says whether the address and the token are right."""
        return self._asked("api/status", lambda: str(self._api.status()["netbox-version"]))

    def all(self, path: str, **filters: Any) -> list[Object]:
        """All objects of an endpoint such as ``dcim/racks`` that the filters let through, in the order of their ids."""

        def read() -> list[Object]:
            endpoint = self._endpoint(path)
            found = endpoint.filter(limit=PAGE, **filters) if filters else endpoint.all(limit=PAGE)
            return [_plain(dict(record)) for record in found]

        return sorted(self._asked(path, read), key=lambda item: int(item["id"]))

    def create(self, path: str, objects: Sequence[Mapping[str, Any]]) -> Iterator[list[Object]]:
        """Make objects, a bulk at a time; yields what came of each bulk."""
        for part in _parts(objects):
            made = self._asked(path, partial(self._endpoint(path).create, [dict(item) for item in part]))
            yield [_plain(dict(record)) for record in made]

    def update(self, path: str, objects: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        """Change objects, each with its ``id``, a bulk at a time; yields how many each bulk changed."""
        for part in _parts(objects):
            self._asked(path, partial(self._endpoint(path).update, [dict(item) for item in part]))
            yield len(part)

    def delete(self, path: str, ids: Sequence[int]) -> Iterator[int]:
        """Delete objects, a bulk at a time; yields how many each bulk deleted."""
        for part in _parts(ids):
            self._asked(path, partial(self._endpoint(path).delete, list(part)))
            yield len(part)

    def _endpoint(self, path: str) -> Any:
        app, _, name = path.partition("/")
        return getattr(getattr(self._api, app), name.replace("-", "_"))

    def _asked(self, path: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except pynetbox.RequestError as error:
            raise _refused(path, error) from None
        except (pynetbox.ContentError, ValueError, AttributeError, KeyError, TypeError) as error:
            hint = f"is {self.url} a NetBox, and nothing between it and here that answers in its place?"
            raise InvalidInput.one("NBX004", f"the answer to {path} is none of NetBox", hint=hint) from error
        except requests.RequestException as error:
            hint = "check the address, the certificate and the way there; --timeout waits longer"
            told = _reason(error)
            raise TargetUnreachable.one("NBX002", f"NetBox does not answer at {self.url}: {told}", hint=hint) from None


def _refused(path: str, error: pynetbox.RequestError) -> GovhubError:
    status = error.req.status_code
    told = " ".join(str(error.error).split())[:_SHOWN]
    if status in (401, 403):
        hint = "give a token that may read and, for exports, write these objects; v2 tokens start with nbt_"
        return InvalidInput.one("NBX003", f"NetBox refuses the token for {path}", detail=told, hint=hint)
    if status in (400, 409):
        hint = "the detail names the field; correct it on the side that is wrong"
        return GovhubError.one("NBX005", f"NetBox does not take what was sent to {path}", detail=told, hint=hint)
    if status >= 500 or status == 429:
        hint = "try again later; NetBox's own log says more"
        return TargetUnreachable.one("NBX002", f"NetBox failed at {path} (status {status})", detail=told, hint=hint)
    hint = "versions 4.0 and newer are supported"
    return InvalidInput.one("NBX004", f"NetBox has no {path} (status {status})", detail=told, hint=hint)


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.TooManyRedirects):
        return "it sends elsewhere; give the address that it has in the end"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__


def _parts(objects: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(objects), BULK):
        yield objects[start : start + BULK]


def _plain(value: Any) -> Any:
    """Nested objects as mappings, choices as their value: ``{"value": "active", "label": …}`` as ``active``."""
    if isinstance(value, Mapping):
        if set(value) == {"value", "label"}:
            return value["value"]
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _plain(dict(value)) if hasattr(value, "serialize") else value
