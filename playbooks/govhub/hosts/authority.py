"""The hub's certificate authority: it follows from the hub's key, so there is nothing to store and nothing to lose.

The only module that imports ``cryptography``. Everything is a function of the key and of what is declared, signatures
included: a second run writes the same bytes. Every host trusts the authorities of the generation before and after
its own too, so a new one is known everywhere before it signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from govhub.core.errors import InvalidInput
from govhub.core.keys import HubKey
from govhub.hosts.period import validity

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2055, 1, 1, tzinfo=UTC)
SERIAL_BYTES = 19
"""One fewer than certificates allow, so that the number is positive whatever its first bit."""


def bundle(hub: str, generation: int) -> str:
    """The authorities that hosts trust: of this generation, the one before and the next, as PEM.

    Raises:
        InvalidInput: the hub has no key here, or it cannot be used.
    """
    key = HubKey.of(hub)
    wanted = [number for number in (generation - 1, generation, generation + 1) if number > 0]
    return "".join(_pem(_authority(key, hub, number)[1]) for number in wanted)


def issue(hub: str, request: str, name: str, addresses: Sequence[str], generation: int, period: str) -> str:
    """Sign a host's request; the certificate names the host as declared, whatever the request asks for.

    Args:
        hub: The hub.
        request: The request as PEM: a P-256 key, its own signature, and subject ``OU`` made for this issue.
        name: The host.
        addresses: Its addresses.
        generation: Which authority signs.
        period: The quarter that it is for.

    Raises:
        InvalidInput: the request is none, or is for something else.
    """
    key = HubKey.of(hub)
    signer, authority = _authority(key, hub, generation)
    public = _checked(request, name, f"{period}-{generation}")
    begin, end = validity(period)
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    # Declared names are part of it: another certificate for the same key is another number.
    what = " ".join(["serial", hub, name, *addresses, str(generation), period, encoded.hex()])
    names: list[x509.GeneralName] = [x509.DNSName(name), *(x509.IPAddress(ip_address(item)) for item in addresses)]
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.subject)
        .public_key(public)
        .serial_number(int.from_bytes(key.derive(what)[:SERIAL_BYTES], "big"))
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return _pem(certificate)


def _authority(key: HubKey, hub: str, generation: int) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    purpose = f"certificate authority {hub} {generation}"
    # Two blocks, so that no residue is noticeably likelier than another.
    number = int.from_bytes(key.derive(purpose) + key.derive(f"{purpose} more"), "big")
    signer = ec.derive_private_key(number % (CURVE_ORDER - 1) + 1, ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, hub),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{hub} hosts {generation}"),
        ]
    )
    serial = int.from_bytes(key.derive(f"serial {purpose}")[:SERIAL_BYTES], "big")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(serial)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return signer, certificate


def _checked(request: str, name: str, made_for: str) -> ec.EllipticCurvePublicKey:
    """The key of a request that is what it must be."""
    try:
        found = x509.load_pem_x509_csr(request.encode())
        public, sound = found.public_key(), found.is_signature_valid
        units = [str(item.value) for item in found.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
        names = [str(item.value) for item in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError as error:
        raise _refused(f"{name} sent no signing request: {error}") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise _refused(f"the key of {name} is not on the curve P-256")
    if not sound:
        raise _refused(f"the request of {name} is not signed with its own key")
    if names != [name] or units != [made_for]:
        raise _refused(f"the request is for {names} {units}, not for {name} {made_for}")
    return public


def _usage(*, sign: bool) -> x509.KeyUsage:
    """What a key is for: of a host (``sign``) to prove itself, of an authority to sign certificates."""
    return x509.KeyUsage(
        digital_signature=sign,
        key_cert_sign=not sign,
        crl_sign=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _refused(why: str) -> InvalidInput:
    hint = "remove /etc/ssl/govhub/issued on the host; the next `up` makes a new key"
    return InvalidInput.one("HST020", f"no certificate: {why}", hint=hint)
