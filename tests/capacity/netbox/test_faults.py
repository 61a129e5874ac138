"""A NetBox that is away, refuses, lies or breaks off: told in a line, nothing half written, no token anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from capacity.netbox import small
from govhub.cli.main import main
from inventory.hubs import HubFolder

SECRET = "nbt_abcdef012345.ThisIsNobodysBusiness0123456789abcd"


@pytest.fixture
def run(folder: HubFolder, token: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The exit code, the codes of the diagnostics, and everything that was said."""

    def run(url: str, *words: str, command: str = "import", file: Path | None = None) -> tuple[int, list[str], str]:
        where = ["--url", url, "--token-file", str(file or token), "--timeout", "3"]
        code = main(["capacity", command, "netbox", "testcity", *where, *words, "--json"])
        out, err = capsys.readouterr()
        document = json.loads(out)
        return code, [item["code"] for item in document["diagnostics"]], out + err

    return run


@contextmanager
def answering(status: int, body: bytes, *headers: tuple[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A server that says the same to everybody, and remembers what it was told."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(str(self.headers.get("Authorization")))
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "other-token"
    file.write_text(SECRET)
    file.chmod(0o600)
    return file


def test_a_token_that_is_refused_is_not_shown(run: Any, secret: Path) -> None:
    with small.running() as (url, _):
        code, codes, said = run(url, file=secret)

    assert (code, codes) == (3, ["NBX003"])
    assert SECRET not in said
    assert "ThisIsNobodysBusiness" not in said


def test_an_answer_that_repeats_the_token_does_not_show_it(run: Any, secret: Path) -> None:
    with answering(400, json.dumps({"detail": f"bad token {SECRET}"}).encode()) as (url, heard):
        code, codes, said = run(url, file=secret)

    assert (code, codes) == (1, ["NBX005"])
    # A token of version 2 has its own word.
    assert heard == [f"Bearer {SECRET}"]
    assert SECRET not in said
    assert "[secret]" in said


def test_nobody_there(run: Any) -> None:
    with answering(200, b"") as (url, _):
        pass
    code, codes, _ = run(url)

    assert (code, codes) == (7, ["NBX002"])


def test_a_redirect_gets_no_token(run: Any) -> None:
    with answering(200, b"{}") as (other, heard), answering(302, b"", ("Location", f"{other}/api/status/")) as (url, _):
        code, codes, said = run(url)

    assert (code, codes, heard) == (7, ["NBX002"], [])
    assert "sends elsewhere" in said


@pytest.mark.parametrize(
    ("status", "body", "code", "told"),
    [
        (200, b"<html>login</html>", 3, "NBX004"),
        (200, b"[]", 3, "NBX004"),
        (404, b"not here", 3, "NBX004"),
        (502, b"bad gateway", 7, "NBX002"),
        (429, b"slower", 7, "NBX002"),
    ],
)
def test_what_is_no_netbox_is_told(run: Any, status: int, body: bytes, code: int, told: str) -> None:
    with answering(status, body) as (url, _):
        assert run(url)[:2] == (code, [told])


def test_addresses_with_secrets_in_them_are_refused_unseen(run: Any) -> None:
    code, codes, said = run("https://admin:hunter2hunter2@netbox.example.org")

    assert (code, codes) == (3, ["NBX001"])
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("text", "mode", "told"), [("", 0o600, "NBX007"), ("a\nb", 0o600, "NBX007"), ("a", 0o644, "SEC011")]
)
def test_token_files_are_private_and_hold_one_token(run: Any, tmp_path: Path, text: str, mode: int, told: str) -> None:
    file = tmp_path / "t"
    file.write_text(text)
    file.chmod(mode)

    assert run("http://127.0.0.1:9", file=file)[1] == [told]


def test_a_site_that_netbox_does_not_have(run: Any) -> None:
    with small.running() as (url, store):
        store.add("dcim/sites", {"name": "Main", "slug": "jz-main"})
        code, codes, said = run(url, "--site", "jz-mian")

    assert (code, codes) == (3, ["NBX006"])
    assert 'did you mean \\"jz-main\\"' in said


@pytest.mark.parametrize("allowed", [0, 6, 17])
def test_an_export_that_breaks_off_is_finished_by_the_next(run: Any, allowed: int) -> None:
    with small.running() as (url, store):
        store.allowed = allowed
        assert run(url, "--yes", command="export")[:2] == (7, ["NBX002"])
        store.allowed = None
        assert run(url, "--yes", command="export")[0] == 0

        assert [len(store.objects[path]) for path in ("dcim/racks", "dcim/devices", "dcim/cables")] == [8, 19, 12]
        assert json.loads(run(url, "--yes", command="export")[2])["counts"] == {}


def test_what_netbox_does_not_take_is_told_with_its_field(run: Any, folder: HubFolder) -> None:
    with small.running() as (url, store):
        # A site of that name under another slug keeps ours out.
        store.add("dcim/sites", {"name": "Main site", "slug": "elsewhere"})
        small_kind = small.KINDS["dcim/sites"]
        small.KINDS["dcim/sites"] = small.Kind(small_kind.required, ("name",), small_kind.refers, small_kind.choices)
        try:
            code, codes, said = run(url, "--yes", command="export")
        finally:
            small.KINDS["dcim/sites"] = small_kind

    assert (code, codes) == (1, ["NBX005"])
    assert "unique" in said
