"""A register: a small departmental web application that keeps its entries in PostgreSQL.

``GET /`` shows the page, ``GET /entries`` lists the last entries as JSON, ``POST /entries`` takes ``name=…``.
"""

import html
import json
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import psycopg2

# SYSTEM-WORKLOAD-…-… is the name of a pod; the system's database is SYSTEM-db.
HOST = os.environ.get("DB_HOST") or f"{socket.gethostname().rsplit('-', 3)[0]}-db"
PORT = int(os.environ.get("PORT", "8080"))
MOST = 2000
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>登记簿</title>
<h1>登记簿</h1>
<form method="post" action="/entries"><input name="name" required maxlength="80"><button>登记</button></form>
<ol>{}</ol></html>"""
TABLE = """CREATE TABLE IF NOT EXISTS entries (
    id bigserial PRIMARY KEY, name text NOT NULL, made timestamptz NOT NULL DEFAULT now())"""


def query(statement, *values):
    """The rows of one statement in a transaction of its own."""
    connection = psycopg2.connect(
        host=HOST, user="app", dbname="postgres", password=os.environ["DB_value"], connect_timeout=5
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(TABLE)
            cursor.execute(statement, values)
            return cursor.fetchall()
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    """One request; a database that does not answer is said to be so, with 503."""

    def do_GET(self):
        """The page, or the entries."""
        self.answer(lambda: query("SELECT id, name FROM entries ORDER BY id DESC LIMIT 100"))

    def do_POST(self):
        """One more entry."""
        length = min(int(self.headers.get("Content-Length") or 0), MOST)
        name = parse_qs(self.rfile.read(length).decode()).get("name", [""])[0].strip()[:80]
        if not name:
            self.say(400, "text/plain", "a name is needed\n")
            return
        self.answer(lambda: query("INSERT INTO entries (name) VALUES (%s) RETURNING id, name", name))

    def answer(self, ask):
        """Rows as JSON, or as the page."""
        try:
            rows = ask()
        except psycopg2.Error as error:
            self.say(503, "text/plain", f"the database does not answer: {type(error).__name__}\n")
            return
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


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
