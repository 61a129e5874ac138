"""A certificate authority for tests, and a certificate for 127.0.0.1 that it signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Made:
    authority: Path
    certificate: Path
    key: Path


def authority(folder: Path) -> Made:
    """A new authority and what it signed, in ``folder``."""
    folder.mkdir()
    own, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name, now = _name("Test authority"), datetime.now(UTC)

    def draft(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder(issuer_name=name, subject_name=subject, public_key=key)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        return made.not_valid_after(now + timedelta(days=2))

    root = draft(name, own.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = draft(_name("bmc"), theirs.public_key())
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = Made(folder / "ca.pem", folder / "bmc.pem", folder / "bmc.key")
    pem = serialization.Encoding.PEM
    made.authority.write_bytes(root.sign(own, hashes.SHA256()).public_bytes(pem))
    made.certificate.write_bytes(leaf.sign(own, hashes.SHA256()).public_bytes(pem))
    made.key.write_bytes(theirs.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
