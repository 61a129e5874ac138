"""One contract for both kinds of bucket."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from engine.conftest import OpenBucket
from govhub.core.errors import GovhubError, InvalidInput
from govhub.engine.bucket import Bucket, FolderBucket, PostgresBucket, hub_keys, move, open_bucket, without_password
from govhub.lab.postgres import PASSWORD, Server

KEY = ".govhub/mini/lock.json"
A, B = b'{"a": 1}', b'{"b": "\xe4\xb8\xad"}'


def test_a_document_that_was_never_written_is_none(bucket: Bucket) -> None:
    assert bucket.get(KEY) is None
    assert bucket.keys("") == []


def test_what_is_put_is_read_back_byte_by_byte_by_another_opener(bucket: Bucket, open_again: OpenBucket) -> None:
    odd = b'{ "z":1,   "a" : [1.50, "\xe4\xb8\xad", "\\u0041"],\n "z": 2 }'
    bucket.put(KEY, A)
    bucket.put(KEY, odd)
    assert open_again().get(KEY) == odd


def test_put_new_writes_once_and_leaves_what_is_there(bucket: Bucket) -> None:
    assert bucket.put_new(KEY, A) is True
    assert bucket.put_new(KEY, B) is False
    assert bucket.get(KEY) == A


def test_swap_replaces_only_what_it_expects(bucket: Bucket) -> None:
    assert bucket.swap(KEY, A, B) is False, "there was nothing to swap"
    bucket.put(KEY, A)
    assert bucket.swap(KEY, B, b"{}") is False
    assert bucket.get(KEY) == A
    assert bucket.swap(KEY, A, B) is True
    assert bucket.get(KEY) == B


def test_swap_with_none_deletes_only_what_it_expects(bucket: Bucket) -> None:
    bucket.put(KEY, A)
    assert bucket.swap(KEY, B, None) is False
    assert bucket.get(KEY) == A
    assert bucket.swap(KEY, A, None) is True
    assert bucket.get(KEY) is None


def test_delete_removes_and_does_not_mind_an_absent_key(bucket: Bucket) -> None:
    bucket.delete(KEY)
    bucket.put(KEY, A)
    bucket.delete(KEY)
    assert bucket.get(KEY) is None


def test_keys_are_sorted_and_found_by_prefix_not_by_folder(bucket: Bucket) -> None:
    for key in (".govhub/b/2.json", ".govhub/b/1.json", ".govhub/bb/1.json", ".pulumi/stacks/x.json"):
        bucket.put(key, A)
    assert bucket.keys(".govhub/b/") == [".govhub/b/1.json", ".govhub/b/2.json"]
    assert bucket.keys(".govhub/b") == [".govhub/b/1.json", ".govhub/b/2.json", ".govhub/bb/1.json"]
    assert bucket.keys(".pulumi/") == [".pulumi/stacks/x.json"]
    assert bucket.keys("nothing/") == []


def test_a_prefix_is_no_pattern(bucket: Bucket) -> None:
    bucket.put("a_b/1.json", A)
    bucket.put("axb/1.json", A)
    assert bucket.keys("a_b/") == ["a_b/1.json"]
    assert bucket.keys("a%") == []


def test_of_many_writers_at_once_exactly_one_makes_a_new_document(bucket: Bucket, open_again: OpenBucket) -> None:
    buckets = [open_again() for _ in range(4)]
    for number in range(25):
        gate, key = threading.Barrier(4), f"race/{number}.json"

        def write(one: Bucket, gate: threading.Barrier = gate, key: str = key) -> bool:
            gate.wait()
            return one.put_new(key, A)

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(write, buckets)) == 1, f"round {number}"


def test_of_many_swappers_at_once_exactly_one_wins(bucket: Bucket, open_again: OpenBucket) -> None:
    buckets = [open_again() for _ in range(4)]
    bucket.put(KEY, b'{"n": 0}')
    for number in range(25):
        gate, old = threading.Barrier(4), f'{{"n": {number}}}'.encode()

        def swap(one: Bucket, gate: threading.Barrier = gate, old: bytes = old, number: int = number) -> bool:
            gate.wait()
            return one.swap(KEY, old, f'{{"n": {number + 1}}}'.encode())

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(swap, buckets)) == 1, f"round {number}"
    assert bucket.get(KEY) == b'{"n": 25}'


def test_a_move_takes_everything_of_one_hub_and_nothing_of_another(bucket: Bucket, tmp_path: Path) -> None:
    ours = [".govhub/mini/pins.json", ".pulumi/stacks/govhub-tenants/mini.main.0.json"]
    other = [".govhub/minion/pins.json", ".pulumi/stacks/govhub-tenants/minion.main.0.json"]
    for key in [*ours, *other]:
        bucket.put(key, A)
    bucket.put(KEY, B)
    target = FolderBucket(tmp_path / "target")
    assert move(bucket, target, "mini", leave=(KEY,)) == 2
    assert hub_keys(target, "mini") == sorted(ours, key=lambda key: not key.startswith(".pulumi"))
    assert [target.get(key) for key in ours] == [A, A]
    assert hub_keys(bucket, "mini") == [KEY]
    assert len(hub_keys(bucket, "minion")) == 2


def test_a_move_never_merges(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(".govhub/mini/pins.json", A)
    target = FolderBucket(tmp_path / "target")
    target.put(".govhub/mini/last-run.json", B)
    with pytest.raises(GovhubError) as caught:
        move(bucket, target, "mini")
    assert caught.value.diagnostics[0].code == "STA003"
    assert bucket.get(".govhub/mini/pins.json") == A
    assert target.keys(".govhub/") == [".govhub/mini/last-run.json"]


def test_files_of_a_folder_bucket_are_private(tmp_path: Path) -> None:
    bucket = FolderBucket(tmp_path / "a" / "b" / "state")
    bucket.put(KEY, A)
    assert stat.S_IMODE((tmp_path / "a" / "b" / "state" / KEY).stat().st_mode) == 0o600
    for folder in ("a", "a/b", "a/b/state"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700, folder


def test_what_a_killed_writer_left_in_a_folder_is_no_document(tmp_path: Path) -> None:
    bucket = FolderBucket(tmp_path)
    bucket.put(KEY, A)
    (tmp_path / ".govhub" / "mini" / ".lock.json.x1y2").write_bytes(b'{"ha')
    (tmp_path / ".govhub" / "mini" / "lock.json.attrs").write_bytes(b"{}")
    assert bucket.keys(".govhub/") == [KEY]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("s3://bucket/x", "STA002"),
        ("postgres://u:hidden-word@host:port/db", "STA002"),
        ("postgres://[bad", "STA002"),
        ("mysql://u@h/db", "STA002"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_its_password(address: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_bucket(address)
    assert caught.value.diagnostics[0].code == code
    assert "hidden-word" not in str(caught.value.diagnostics[0].as_dict())


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u:hidden-word@127.0.0.1:1/db",
        "postgres://u:hidden-word%zz@127.0.0.1:1/db",
        "postgres://u:hidden word@127.0.0.1:1/db",
        "postgres://u@127.0.0.1:1/db?password=hidden-word",
    ],
)
def test_a_database_that_does_not_answer_is_named_without_its_password(address: str) -> None:
    bucket = open_bucket(address)
    with pytest.raises(GovhubError) as caught:
        bucket.get("x")
    shown = str(caught.value.diagnostics[0].as_dict())
    assert "STA001" in shown
    assert "127.0.0.1:1/db" in shown
    assert "hidden" not in shown
    assert "hidden" not in bucket.shown


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("postgres://u:p%40w@h:5/db?sslmode=disable", "postgres://u@h:5/db?sslmode=disable", "p@w"),
        ("postgres://u@h/db?password=pw&sslmode=disable", "postgres://u@h/db?sslmode=disable", "pw"),
        ("postgres://u%20x:pw@[::1]:5/db", "postgres://u%20x@[::1]:5/db", "pw"),
        ("postgres://u@h/db?host=%2Frun%2Fpg", "postgres://u@h/db?host=%2Frun%2Fpg", ""),
        ("file:///var/lib/x y", "file:///var/lib/x y", ""),
    ],
)
def test_the_engine_gets_the_address_without_its_password(url: str, bare: str, password: str) -> None:
    assert without_password(url) == (bare, password)


@pytest.mark.postgres
def test_documents_are_stored_as_the_engine_stores_its_own(postgres_server: Server) -> None:
    address = postgres_server.database("shape")
    PostgresBucket(address).put(".pulumi/x.json", A)
    rows = PostgresBucket(address)._run("SELECT key, data::text FROM pulumi_state")
    assert rows == [("shape/.pulumi/x.json", '{"data":"eyJhIjogMX0="}')]


@pytest.mark.postgres
def test_a_damaged_row_is_told_with_its_key(postgres_server: Server) -> None:
    bucket = PostgresBucket(postgres_server.database("damaged"))
    bucket.put(KEY, A)
    bucket._run('UPDATE pulumi_state SET data = \'{"data": "eyJhI"}\' RETURNING 1')
    with pytest.raises(GovhubError) as caught:
        bucket.get(KEY)
    assert caught.value.diagnostics[0].code == "STA009"
    assert KEY in caught.value.diagnostics[0].summary


@pytest.mark.postgres
def test_a_wrong_password_and_a_restarted_connection_are_told_and_survived(postgres_server: Server) -> None:
    address = postgres_server.database("restart")
    wrong = PostgresBucket(address.replace(PASSWORD, "another-word"))
    with pytest.raises(GovhubError) as caught:
        wrong.get(KEY)
    assert caught.value.diagnostics[0].code == "STA001"
    assert "another-word" not in str(caught.value)
    bucket = PostgresBucket(address)
    bucket.put(KEY, A)
    PostgresBucket(postgres_server.address("postgres"))._run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", "restart"
    )
    assert bucket.get(KEY) == A, "one dropped connection is no reason to fail a run"


@pytest.mark.postgres
def test_many_that_come_first_at_once_all_find_their_table(postgres_server: Server) -> None:
    for number in range(20):
        address, gate = postgres_server.database(f"first{number}"), threading.Barrier(6)

        def write(_: int, address: str = address, gate: threading.Barrier = gate) -> bool:
            # Each connects on its own, and only the table is raced for.
            with psycopg.connect(address):
                gate.wait()
            return PostgresBucket(address).put_new(KEY, A)

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(write, range(6))) == 1, f"round {number}"
