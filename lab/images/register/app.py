"""A register: a small departmental web application that keeps its entries in PostgreSQL or MariaDB.

``GET /`` shows the page, ``GET /entries`` lists the last entries as JSON, ``POST /entries`` takes ``name=…``.

As an image it needs nothing but the platform's own settings. On a department's old server more of them matter:
``DB_ENGINE`` (postgresql or mariadb), ``DB_PORT``, ``DB_NAME``, ``DB_USER``; ``ACK_LOG``, a file to which each entry is
appended after its commit, so that somebody can ask later whether an acknowledged entry was lost; and ``WRITERS`` and
``WRITES_PER_SECOND``, clients of its own that go on writing.
"""

import html
import json
import os
import socket
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ENGINE = os.environ.get("DB_ENGINE", "postgresql")
# SYSTEM-WORKLOAD-…-… is the name of a pod; the system's database is SYSTEM-db.
HOST = os.environ.get("DB_HOST") or f"{socket.gethostname().rsplit('-', 3)[0]}-db"
PORT = int(os.environ.get("PORT", "8080"))
MOST = 2000
LATEST = "SELECT id, name FROM entries ORDER BY id DESC LIMIT 100"
INSERT = "INSERT INTO entries (name) VALUES (%s) RETURNING id, name"
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>登记簿</title>
<h1>登记簿</h1>
<form method="post" action="/entries"><input name="name" required maxlength="80"><button>登记</button></form>
<ol>{}</ol></html>"""
TABLES = {
    "postgresql": """CREATE TABLE IF NOT EXISTS entries (
        id bigserial PRIMARY KEY, name text NOT NULL, made timestamptz NOT NULL DEFAULT now())""",
    "mariadb": """CREATE TABLE IF NOT EXISTS entries (
        id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL,
        made timestamp(6) NOT NULL DEFAULT current_timestamp(6))""",
}
own = threading.local()


def connect():
    """A new connection, with the table there."""
    more = {"port": int(os.environ["DB_PORT"])} if os.environ.get("DB_PORT") else {}
    name, user = os.environ.get("DB_NAME", "postgres"), os.environ.get("DB_USER", "app")
    word = os.environ["DB_value"]
    if ENGINE == "mariadb":
        import pymysql

        # TLS wherever the server offers it, as PostgreSQL's library does by itself.
        more |= {"charset": "utf8mb4", "connect_timeout": 5, "ssl": {"ca": None}}
        connection = pymysql.connect(host=HOST, user=user, database=name, password=word, **more)
    else:
        import psycopg2

        connection = psycopg2.connect(host=HOST, user=user, dbname=name, password=word, connect_timeout=5, **more)
    ready(connection)
    return connection


def ready(connection):
    """Make the table unless it is there; what is frozen for reading is left alone."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(LATEST)
    except Exception:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute(TABLES[ENGINE])
    connection.commit()


def query(statement, *values):
    """The rows of one statement in a transaction of its own; each thread keeps its connection while it works."""
    if getattr(own, "connection", None) is None:
        own.connection = connect()
    try:
        with own.connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall()
        own.connection.commit()
    except BaseException:
        drop()
        raise
    return rows


def drop():
    """Let go of this thread's connection."""
    connection, own.connection = getattr(own, "connection", None), None
    if connection is not None:
        try:
            connection.close()
        except Exception as error:
            print("closing:", type(error).__name__, flush=True)


def add(name):
    """One more entry; acknowledged once it is committed, never before."""
    rows = query(INSERT, name)
    if LOG is not None:
        # One write to a file opened for appending: lines of several threads do not mix.
        os.write(LOG, f"{rows[0][0]}\t{name}\t{time.time():.6f}\n".encode())
    return rows


def write_on(rate):
    """Go on adding entries, so many a second; one that fails is not acknowledged, and the next one is tried."""
    following = time.monotonic()
    while True:
        try:
            add(f"w-{uuid.uuid4()}")
        except Exception as error:
            print("not written:", type(error).__name__, flush=True)
            time.sleep(0.05)
        following = max(following + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, following - time.monotonic()))


class Handler(BaseHTTPRequestHandler):
    """One request; a database that does not answer is said to be so, with 503."""

    def do_GET(self):
        """The page, or the entries."""
        self.answer(lambda: query(LATEST))

    def do_POST(self):
        """One more entry."""
        length = min(int(self.headers.get("Content-Length") or 0), MOST)
        name = parse_qs(self.rfile.read(length).decode()).get("name", [""])[0].strip()[:80]
        if not name:
            self.say(400, "text/plain", "a name is needed\n")
            return
        self.answer(lambda: add(name))

    def answer(self, ask):
        """Rows as JSON, or as the page."""
        try:
            rows = ask()
        except Exception as error:
            self.say(503, "text/plain", f"the database does not answer: {type(error).__name__}\n")
            return
        finally:
            drop()
        if self.path == "/entries":
            self.say(200, "application/json", json.dumps([{"id": number, "name": name} for number, name in rows]))
        else:
            self.say(
                200,
                "text/html; charset=utf-8",
                PAGE.format("".join(f"<li>{html.escape(name)}</li>" for _, name in rows)),
            )

    def say(self, status, kind, text):
        """Send an answer."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        """Requests in the log, with the time."""
        print(time.strftime("%H:%M:%S"), self.client_address[0], text % values, flush=True)


LOG = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if (path := os.environ.get("ACK_LOG")) else None

if __name__ == "__main__":
    writers = int(os.environ.get("WRITERS", "0"))
    for _ in range(writers):
        rate = float(os.environ.get("WRITES_PER_SECOND", "10")) / writers
        threading.Thread(target=write_on, args=(rate,), daemon=True).start()
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
