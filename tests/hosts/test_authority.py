"""The hub's certificate authority and generated passwords: functions of the key, and nothing to lose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from govhub.core.errors import InvalidInput
from govhub.core.keys import HubKey
from govhub.core.settings import hub_home
from govhub.hosts.authority import bundle, issue
from govhub.hosts.expressions import Expression, rendered, secret
from govhub.hosts.passwords import mysql, scram, secret_in_form
from govhub.hosts.period import period_of, validity
from hosts.test_declared import ansible

NAME, ADDRESS, PERIOD = "db1", "10.20.0.31", "2026q4"


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubKey:
    """A hub with a key in a home of its own."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    key = HubKey.of("mini")
    key.ensure()
    return key


def request(name: str = NAME, unit: str = f"{PERIOD}-1", curve: ec.EllipticCurve | None = None) -> str:
    private = ec.generate_private_key(curve or ec.SECP256R1())
    parts = [(NameOID.COMMON_NAME, name), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit)]
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    # What a host asks for beside its key does not count.
    wanted = x509.SubjectAlternativeName([x509.DNSName("everything.gov.internal")])
    built = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(wanted, critical=False)
    return built.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def signed(csr: str, generation: int = 1, period: str = PERIOD, hub: str = "mini") -> x509.Certificate:
    return x509.load_pem_x509_certificate(issue(hub, csr, NAME, [ADDRESS], generation, period).encode())


def authorities(generation: int) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(bundle("mini", generation).encode())


def test_the_same_request_gives_the_same_bytes_on_every_run() -> None:
    csr = request()
    assert issue("mini", csr, NAME, [ADDRESS], 1, PERIOD) == issue("mini", csr, NAME, [ADDRESS], 1, PERIOD)
    assert bundle("mini", 3) == bundle("mini", 3)


def test_each_issue_has_a_number_of_its_own() -> None:
    csr, other = request(), request(unit=f"{PERIOD}-2")
    moved = x509.load_pem_x509_certificate(issue("mini", csr, NAME, ["10.20.0.32"], 1, PERIOD).encode())
    numbers = {signed(csr).serial_number, signed(other, 2).serial_number, moved.serial_number}
    assert len(numbers) == 3


def test_a_certificate_has_the_declared_names_and_no_others() -> None:
    found = signed(request())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == [ADDRESS]
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_openssl_verifies_the_chain_and_refuses_a_stranger(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(bundle("mini", 1))
    (tmp_path / "host.pem").write_text(issue("mini", request(), NAME, [ADDRESS], 1, PERIOD))
    HubKey.of("other").ensure()
    (tmp_path / "stranger.pem").write_text(bundle("other", 1))
    moment = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())

    def verify(authority: str, name: str) -> int:
        words = ["openssl", "verify", "-x509_strict", "-attime", str(moment), "-verify_hostname", name]
        words += ["-CAfile", authority, "host.pem"]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode

    assert verify("ca.pem", NAME) == 0
    assert verify("ca.pem", "everything.gov.internal") != 0
    assert verify("stranger.pem", NAME) != 0


def test_trust_overlaps_so_that_no_order_of_renewal_breaks_it() -> None:
    one, two = authorities(1), authorities(2)
    assert [item.subject for item in one] == [item.subject for item in two[:2]]
    # A host of generation 1 knows who signs in generation 2, and the other way round.
    signed(request(unit=f"{PERIOD}-2"), 2).verify_directly_issued_by(one[1])
    signed(request(), 1).verify_directly_issued_by(two[0])
    assert [item.subject for item in authorities(3)] == [item.subject for item in [*two[1:], authorities(4)[1]]]


@pytest.mark.parametrize(
    ("csr", "why"),
    [
        ("no request at all", "sent no signing request"),
        (request(name="db2"), "not for db1"),
        (request(unit="2026q3-1"), "not for db1 2026q4-1"),
        (request(curve=ec.SECP384R1()), "P-256"),
    ],
)
def test_a_request_for_something_else_is_refused(csr: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        signed(csr)


def test_a_request_that_was_changed_is_refused() -> None:
    der = bytearray(x509.load_pem_x509_csr(request().encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    pem = b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bytes(der))
    with pytest.raises(InvalidInput, match=r"signed with its own key|sent no signing request"):
        signed((pem + b"-----END CERTIFICATE REQUEST-----\n").decode())


def test_certificates_hold_for_their_quarter_a_day_before_and_45_days_behind() -> None:
    assert [period_of(date(2026, month, 28)) for month in (1, 3, 4, 12)] == ["2026q1", "2026q1", "2026q2", "2026q4"]
    begin, end = validity("2026q4")
    assert begin == datetime(2026, 9, 30, tzinfo=UTC)
    assert end == datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=45)
    found = signed(request())
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (begin, end)
    with pytest.raises(InvalidInput, match="no quarter"):
        validity("2026q5")


def test_a_scram_verifier_proves_the_password_as_rfc_5802_says() -> None:
    verifier = secret_in_form("mini", "databases/pg/school", 1, 32, "scram")
    password = secret_in_form("mini", "databases/pg/school", 1, 32, "plain")
    assert password not in verifier
    _, rounds_salt, keys = verifier.split("$")
    rounds, salt = rounds_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client = hmac.new(salted, b"Client Key", "sha256").digest()
    assert base64.b64decode(keys.split(":")[0]) == hashlib.sha256(client).digest()
    assert verifier == secret_in_form("mini", "databases/pg/school", 1, 32, "scram"), "the same on every run"
    assert verifier != secret_in_form("mini", "databases/pg/school", 2, 32, "scram")


def test_the_servers_forms_of_known_passwords() -> None:
    # From RFC 7677's example, and MySQL's manual.
    assert scram("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")).startswith("SCRAM-SHA-256$4096:W22ZaJ0S")
    assert scram("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")).split("$")[2] == (
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert mysql("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"


def test_an_inventory_holds_expressions_and_takes_everything_else_as_text() -> None:
    found = rendered({"a": secret("mini", "databases/pg/school", 2), "b": ["{{ 7 * 6 }}", 'x"{#', "plain"]})
    expected = '{{ lookup("govhub_secret", "databases/pg/school", hub="mini", generation=2, length=32, form="plain") }}'
    assert found["a"] == expected
    assert found["b"] == ["{{ '{' }}{ 7 * 6 }}", """x"{{ '{' }}#""", "plain"]
    assert isinstance(secret("mini", "x", 1), Expression)


def test_ansible_works_them_out_and_data_stays_data(tmp_path: Path) -> None:
    values = {"password": secret("mini", "databases/pg/school", 1), "odd": '{{ 7 * 6 }} "\\ 密'}
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"localhost": rendered(values)}}}))
    home = hub_home("mini").parents[1]
    words = ["ansible", "localhost", "-c", "local", "-i", str(inventory), "-m", "ansible.builtin.debug", "-a"]
    environment = {"ANSIBLE_INVENTORY_ENABLED": "yaml", "ANSIBLE_LOOKUP_PLUGINS": "playbooks/plugins/lookup"}
    done = ansible(*words, json.dumps({"msg": "{{ password }} {{ odd }}"}), home=home, **environment)
    password = secret_in_form("mini", "databases/pg/school", 1, 32, "plain")
    assert json.loads(done.stdout.partition("=>")[2])["msg"] == f"{password} {values['odd']}", done.stderr
    assert password not in inventory.read_text()


def test_without_a_key_the_lookup_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read the secret file"):
        secret_in_form("nobody", "databases/pg/school", 1, 32, "plain")
