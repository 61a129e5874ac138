"""A real NetBox for a while: the released package on a PostgreSQL and a Redis of its own, on loopback, then gone.

NetBox pins its libraries and wants a newer Python than govhub, so it gets a virtual environment of its own, which is
kept in the cache. Whoever lacks a part is told which.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from govhub.core.settings import cache
from govhub.lab import postgres
from govhub.lab.scratch import free_port

VERSION = "4.7.3"
PYTHONS = ("3.12", "3.13", "3.14")
TOKEN = "0123456789abcdef0123456789abcdef01234567"
# Only what builds NetBox's own manual, and a driver that is compiled on the spot; the binary form is the same driver.
NOT_NEEDED = ("mkdocs", "mkdocs-material", "mkdocstrings", "mkdocstrings-python", "zensical")
OVERRIDES = "".join(f'{name}; python_version < "3"\n' for name in NOT_NEEDED) + "psycopg[binary,pool]\n"
CONFIGURATION = """
ALLOWED_HOSTS = ["*"]
DATABASES = {{"default": {{"NAME": "netbox", "USER": "govhub", "PASSWORD": {password!r}, "HOST": "127.0.0.1",
                           "PORT": {database}, "CONN_MAX_AGE": 300}}}}
REDIS = {{name: {{"HOST": "127.0.0.1", "PORT": {redis}, "DATABASE": number}}
          for number, name in enumerate(("tasks", "caching"))}}
SECRET_KEY = "for-tests-alone-for-tests-alone-for-tests-alone-for-tests"
API_TOKEN_PEPPERS = {{1: "for-tests-alone-for-tests-alone-for-tests-alone-for-tests"}}
CENSUS_REPORTING_ENABLED = False
RELEASE_CHECK_URL = None
LOGGING = {{"version": 1, "disable_existing_loggers": False}}
"""
USER = """
from users.models import User, Token
user = User.objects.create_superuser("tester", "tester@example.org", "for-Tests-alone-1")
Token.objects.create(user=user, version=1, token={token!r})
"""


class Missing(Exception):
    """A part that NetBox needs is not there; the message says which."""


@dataclass(frozen=True)
class NetBox:
    """A NetBox that answers."""

    url: str
    token: str
    log: Path


@contextmanager
def running(folder: Path) -> Iterator[NetBox]:
    """Start PostgreSQL, Redis and NetBox with an empty database and one user.

    Raises:
        Missing: a part is not installed and cannot be had.
    """
    python = environment()
    redis = shutil.which("redis-server")
    if redis is None:
        raise Missing("Redis is not installed (Debian: apt-get install redis-server)")
    if postgres.binaries() is None:
        raise Missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgres.running() as server, _redis(redis, folder) as port:
        server.database("netbox")
        conf = folder / "conf"
        conf.mkdir()
        text = CONFIGURATION.format(password=postgres.PASSWORD, database=server.port, redis=port)
        (conf / "configuration.py").write_text(text)
        variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "NETBOX_ROOT": str(folder)}
        _empty(server, python, variables)
        with _web(python, folder, variables) as netbox:
            yield netbox


def environment() -> Path:
    """The Python of an environment with NetBox, made once.

    Raises:
        Missing: there is no Python of that version, or the packages cannot be had.
    """
    home = cache() / "netbox" / VERSION
    python = home / "bin" / "python"
    if (home / "ready").exists():
        return python
    uv = [str(Path(sys.executable).with_name("uv"))]
    if failed := _quiet([*uv, "venv", "-q", "--clear", "--python", _newer_python(), str(home)]):
        raise Missing(f"no environment for NetBox {VERSION}: {failed}")
    overrides = home / "overrides.txt"
    overrides.write_text(OVERRIDES)
    install = [*uv, "pip", "install", "-q", "--python", str(python), "--override", str(overrides)]
    if failed := _quiet([*install, f"netbox=={VERSION}"]):
        raise Missing(f"NetBox {VERSION} cannot be installed: {failed}")
    (home / "ready").touch()
    return python


def _newer_python() -> str:
    """A Python that NetBox takes, from the PATH or from pyenv's versions."""
    # The tests' HOME is not the user's.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv"))
    found = [path for name in PYTHONS if (path := shutil.which(f"python{name}"))]
    found += [str(path) for name in PYTHONS for path in sorted(pyenv.glob(f"versions/{name}.*/bin/python"))]
    for python in found:
        # A name on the PATH may be a stand-in that starts nothing.
        if not _quiet([python, "-c", "import ssl, sys; sys.exit(sys.version_info < (3, 12))"]):
            return python
    raise Missing(f"NetBox {VERSION} needs Python {' or '.join(PYTHONS)}")


def _empty(server: postgres.Server, python: Path, variables: dict[str, str]) -> None:
    """Make NetBox's tables and a user. Its migrations take minutes, so what comes of them is kept."""
    dump = python.parents[1] / "empty.dump"
    place = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "govhub"]
    secret = variables | {"PGPASSWORD": postgres.PASSWORD}
    if dump.exists():
        _run([str(server.tools / "pg_restore"), *place, "-d", "netbox", str(dump)], secret)
        return
    manage = [str(python), "-m", "netbox"]
    _run([*manage, "migrate", "--no-input", "-v", "0"], variables, 1800)
    _run([*manage, "shell", "-c", USER.format(token=TOKEN)], variables)
    part = dump.with_suffix(".part")
    _run([str(server.tools / "pg_dump"), "-Fc", *place, "-f", str(part), "netbox"], secret)
    part.rename(dump)


@contextmanager
def _redis(program: str, folder: Path) -> Iterator[int]:
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield port
    finally:
        _stop(process)


@contextmanager
def _web(python: Path, folder: Path, variables: dict[str, str]) -> Iterator[NetBox]:
    port = free_port()
    log = folder / "netbox.log"
    serve = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4", "--timeout", "120", "netbox.wsgi"]
    with log.open("wb") as out:
        process = subprocess.Popen([str(python), "-m", "gunicorn", *serve], env=variables, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield NetBox(url, TOKEN, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    request = Request(f"{url}/api/status/", headers={"Authorization": f"Token {TOKEN}"})
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(request, timeout=60) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"NetBox does not answer: {log.read_text(errors='replace')[-2000:]}")


def _run(command: list[str], variables: dict[str, str], seconds: float = 600) -> None:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=seconds)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])}: {(done.stderr or done.stdout)[-2000:]}")


def _quiet(command: list[str]) -> str:
    """What went wrong, in short; empty when nothing did."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    return " ".join(done.stderr.split())[-300:] or "it failed" if done.returncode else ""
