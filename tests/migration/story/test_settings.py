"""Settings that lead an application to its database: rewritten whole or not at all, and put back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govhub.core.errors import GovhubError, InvalidInput
from govhub.hosts.reach import Reach
from govhub.hosts.tunnel import Tunnel
from govhub.migration.moving.settings import values, with_values
from govhub.ops.migration.leading import KEPT, RemoteSettings
from migration.story import stand_in

KEYS = {"host": "DB_HOST", "port": "DB_PORT"}
WANTED = {"host": "10.20.0.7", "port": "5433"}
LINES = (
    "DB_HOST={}",
    "DB_HOST = {}",
    '  export DB_HOST="{}"  # the old one',
    "DB_HOST: '{}'",
    '  "DB_HOST": "{}",',
    "DB_HOST={}\r",
)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("value", ["127.0.0.1", "", "db.old.gov.cn", "::1"])
def test_the_value_alone_is_changed(line: str, value: str) -> None:
    frame = "# DB_HOST=not this\nOTHER_DB_HOST=nor this\n{}\nDB_HOSTS=nor this"
    before = frame.format(line.format(value))
    key = {"host": "DB_HOST"}
    assert values(before, key, "f") == {"host": value}
    after = with_values(before, key, WANTED, "f")
    assert after == frame.format(line.format("10.20.0.7"))
    assert with_values(after, key, {"host": value}, "f") == before


@pytest.mark.parametrize("text", ["", "# DB_HOST=x", "DB_HOST=a\nDB_HOST=b", "DB_HOST=a b", "DB_HOST='a"])
def test_a_key_that_is_not_there_just_once_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        values(text, {"host": "DB_HOST"}, "/etc/app.env on old")
    assert caught.value.diagnostics[0].code == "RUN030"


@given(st.text(alphabet="DB_HOSTx=: \n#'\"", max_size=40))
def test_what_is_rewritten_reads_back_and_can_be_put_back(text: str) -> None:
    try:
        before = values(text, {"host": "DB_HOST"}, "f")
    except InvalidInput:
        return
    after = with_values(text, {"host": "DB_HOST"}, WANTED, "f")
    assert values(after, {"host": "DB_HOST"}, "f") == {"host": "10.20.0.7"}
    assert with_values(after, {"host": "DB_HOST"}, before, "f") == text


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteSettings:
    stand_in.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    file = tmp_path / "app.env"
    # Bytes of another character set and a line end of another system stay what they are.
    file.write_bytes("# 旧库\r\n".encode("gb18030") + b"DB_HOST=127.0.0.1\nDB_PORT=5432\nDB_value=word\n")
    file.chmod(0o640)
    link = tmp_path / "link.env"
    link.symlink_to(file)
    return RemoteSettings(file=str(link), keys=KEYS, target=WANTED, tunnel=Tunnel("old", Reach("127.0.0.2", "govhub")))


def files(remote: RemoteSettings) -> dict[str, bytes]:
    folder = Path(remote.file).parent
    return {path.name: path.read_bytes() for path in folder.glob("app.env*")}


def test_settings_are_led_and_put_back_as_they_were(remote: RemoteSettings) -> None:
    path, before = Path(remote.file).resolve(), files(remote)
    try:
        assert remote.check() == {"file": remote.file, "DB_HOST": "127.0.0.1", "DB_PORT": "5432"}
        assert not remote.led()
        for _ in range(2):
            assert remote.lead()["DB_HOST"] == "10.20.0.7"
            assert remote.led()
        changed = before["app.env"].replace(b"127.0.0.1", b"10.20.0.7").replace(b"5432", b"5433")
        assert files(remote) == {"app.env": changed, f"app.env{KEPT}": before["app.env"]}
        assert path.stat().st_mode & 0o777 == 0o640
        with pytest.raises(InvalidInput, match="leads to the target already"):
            remote.check()
        # What somebody else changes meanwhile is theirs.
        path.write_bytes(path.read_bytes() + b"MORE=1\n")
        for _ in range(2):
            remote.back()
            assert files(remote) == {"app.env": before["app.env"] + b"MORE=1\n"}
        assert Path(remote.file).is_symlink()
        remote.lead()
        remote.forget()
        assert list(files(remote)) == ["app.env"]
    finally:
        remote.tunnel.close()


def test_a_line_that_breaks_half_way_leaves_the_file_as_it_was(
    remote: RemoteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(remote)["app.env"]
    cut = tmp_path / "bin" / "base64"
    cut.write_text('#!/bin/sh\n[ "$1" = -d ] && exec head -c 8\nexec /usr/bin/base64 "$@"\n')
    cut.chmod(0o755)
    try:
        with pytest.raises(GovhubError, match="cannot be rewritten"):
            remote.lead()
        assert files(remote) == {"app.env": before, f"app.env{KEPT}": before}
        cut.unlink()
        remote.lead()
        assert remote.led()
    finally:
        remote.tunnel.close()


@pytest.mark.parametrize("word", ["cp", "base64", "sha256sum", "sync", "mv"])
@pytest.mark.parametrize("call", ["lead", "back"])
def test_a_kill_at_any_command_leaves_one_of_the_two_files_and_is_gone_on_with(
    remote: RemoteSettings, tmp_path: Path, call: str, word: str
) -> None:
    before = files(remote)["app.env"]
    try:
        remote.lead()
        after = files(remote)["app.env"]
        if call == "lead":
            remote.back()
        # The shell that rewrites is killed in the middle; what it calls first is the end of it.
        tool = tmp_path / "bin" / word
        tool.write_text(f'#!/bin/sh\n[ {word} = base64 -a "$1" = -- ] && exec /usr/bin/base64 "$@"\nkill -9 $PPID\n')
        tool.chmod(0o755)
        try:
            getattr(remote, call)()
        except GovhubError:
            assert files(remote)["app.env"] in {before, after}
        tool.unlink()
        getattr(remote, call)()
        assert files(remote)["app.env"] == (after if call == "lead" else before)
    finally:
        remote.tunnel.close()
    left = subprocess.run(["ls", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert (KEPT in left) is (call == "lead")
    assert "govhub-part" not in left
