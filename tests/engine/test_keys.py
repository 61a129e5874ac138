"""The hub's key, and what comes from it."""

from __future__ import annotations

import stat
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.core.keys import _ALPHABET, HubKey
from govhub.core.secrets import Secret
from govhub.core.settings import Env
from govhub.inventory.model.tenancy import SecretRef

GENERATED = SecretRef(name="db", generate=24)


@pytest.fixture
def key(tmp_path: Path) -> HubKey:
    found = HubKey(tmp_path / "home" / "hubs" / "mini", tmp_path / "hub")
    found.ensure()
    return found


def value(key: HubKey, ref: SecretRef, address: str = "education-prod/db") -> str:
    secret = key.resolve(ref, address)
    assert secret is not None
    return secret.reveal()


def test_key_and_passphrase_are_files_of_mode_600_in_folders_of_mode_700(key: HubKey, tmp_path: Path) -> None:
    base = tmp_path / "home"
    files = {path.relative_to(base): stat.S_IMODE(path.stat().st_mode) for path in base.rglob("*") if path.is_file()}
    assert files == {Path("hubs/mini/key"): 0o600, Path("hubs/mini/passphrase"): 0o600}
    for folder in (base, base / "hubs", base / "hubs" / "mini"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_the_passphrase_is_not_the_key_and_stays_the_same(key: HubKey, tmp_path: Path) -> None:
    first = key.ensure().read_text()
    text = (tmp_path / "home/hubs/mini/key").read_text().strip()
    assert len(first) == 64
    assert text not in first
    assert HubKey(tmp_path / "home/hubs/mini", tmp_path / "hub").ensure().read_text() == first


def test_first_runs_at_the_same_time_agree_on_one_key(tmp_path: Path) -> None:
    for number in range(30):
        folder, gate = tmp_path / f"home{number}", threading.Barrier(4)

        def ensure(_: int, folder: Path = folder, gate: threading.Barrier = gate) -> str:
            key = HubKey(folder, tmp_path / "hub")
            gate.wait()
            key.ensure()
            return key.fingerprint(Secret("probe"))

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ensure, range(4)))) == 1, f"round {number}"


def test_generated_secrets_depend_on_key_address_and_generation_alone(key: HubKey, tmp_path: Path) -> None:
    first = value(key, GENERATED)
    assert first == value(HubKey(tmp_path / "home/hubs/mini", tmp_path / "hub"), GENERATED)
    rotated = value(key, GENERATED.model_copy(update={"generation": 2}))
    elsewhere = value(key, GENERATED, "education-test/db")
    stranger = HubKey(tmp_path / "other", tmp_path / "hub")
    stranger.ensure()
    assert len({first, rotated, elsewhere, value(stranger, GENERATED)}) == 4
    assert {len(first), len(rotated)} == {24}


def test_generated_secrets_use_every_character_equally_often(key: HubKey) -> None:
    long = GENERATED.model_copy(update={"generate": 128})
    text = "".join(value(key, long, f"space/{number}") for number in range(400))
    counts = Counter(text)
    assert set(counts) == set(_ALPHABET)
    expected = len(text) / len(_ALPHABET)
    chi_square = sum((counts[char] - expected) ** 2 / expected for char in _ALPHABET)
    # The biased way (every byte modulo the length) gives about 600 here; 56 degrees of freedom pass below 110.
    assert chi_square < 110


def test_a_shared_passphrase_file_gives_several_workers_the_same_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.write_text("correct horse battery staple\n")
    shared.chmod(0o600)
    monkeypatch.setenv(Env.PASSPHRASE_FILE, str(shared))
    workers = [HubKey(tmp_path / name, tmp_path / "hub") for name in ("one", "two")]
    assert workers[0].ensure().read_text() == workers[1].ensure().read_text()
    assert value(workers[0], GENERATED) == value(workers[1], GENERATED)
    assert not (tmp_path / "one" / "key").exists()


def _missing(path: Path) -> None:
    path.unlink()


def _open(path: Path) -> None:
    path.chmod(0o644)


def _empty(path: Path) -> None:
    path.write_text("\n")


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff" * 40)


@pytest.mark.parametrize(
    ("spoil", "code"), [(_missing, "SEC010"), (_open, "SEC011"), (_empty, "SEC013"), (_binary, "SEC010")]
)
def test_a_shared_passphrase_file_that_is_no_good_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: object, code: str
) -> None:
    shared = tmp_path / "shared"
    shared.write_text("correct horse battery staple")
    shared.chmod(0o600)
    assert callable(spoil)
    spoil(shared)
    monkeypatch.setenv(Env.PASSPHRASE_FILE, str(shared))
    with pytest.raises(InvalidInput) as caught:
        HubKey(tmp_path / "one", tmp_path / "hub").ensure()
    assert caught.value.diagnostics[0].code == code
    assert not (tmp_path / "one" / "passphrase").exists()


def test_a_passphrase_file_inside_the_hub_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "shared").write_text("correct horse battery staple")
    (hub / "shared").chmod(0o600)
    (tmp_path / "link").symlink_to(hub / "shared")
    for path in (hub / "shared", tmp_path / "link"):
        monkeypatch.setenv(Env.PASSPHRASE_FILE, str(path))
        with pytest.raises(InvalidInput) as caught:
            HubKey(tmp_path / "one", hub).ensure()
        assert caught.value.diagnostics[0].code == "SEC012"


def test_a_secret_file_is_read_only_when_private_and_outside(key: HubKey, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("line one\nline two\n")
    path.chmod(0o600)
    ref = SecretRef(name="db", file=str(path))
    assert value(key, ref) == "line one\nline two"
    path.chmod(0o644)
    with pytest.raises(InvalidInput) as caught:
        key.resolve(ref, "x/y")
    assert caught.value.diagnostics[0].code == "SEC011"
    assert "line one" not in str(caught.value.diagnostics[0].as_dict())


def test_what_cannot_be_known_here_is_none(key: HubKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINI_DB", raising=False)
    assert key.resolve(SecretRef(name="db", env="MINI_DB"), "x/y") is None
    monkeypatch.setenv("MINI_DB", "")
    assert key.resolve(SecretRef(name="db", env="MINI_DB"), "x/y") is None
    assert key.resolve(SecretRef(name="db", file=str(tmp_path / "nothing")), "x/y") is None
    nobody = HubKey(tmp_path / "nobody", tmp_path / "hub")
    assert nobody.resolve(GENERATED, "x/y") is None
    assert nobody.fingerprint(Secret("x")) == ""
    assert not (tmp_path / "nobody").exists(), "planning makes no key"


def test_a_fingerprint_changes_with_the_value_and_with_the_key(key: HubKey, tmp_path: Path) -> None:
    stranger = HubKey(tmp_path / "other", tmp_path / "hub")
    stranger.ensure()
    prints = {key.fingerprint(Secret("a")), key.fingerprint(Secret("b")), stranger.fingerprint(Secret("a"))}
    assert len(prints) == 3
    assert key.fingerprint(Secret("a")) == key.fingerprint(Secret("a"))
