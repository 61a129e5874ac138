"""Certificates that were found on a host: whose, until when."""

from __future__ import annotations

import warnings
from typing import Any

from govhub.core.sections import Reading

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def certificates(reading: Reading) -> list[dict[str, Any]] | None:
    """Each certificate with file, subject, issuer and end of validity (UTC); None when they could not be read.

    One that cannot be understood is listed with a problem, not left out.
    """
    section = reading.section("certificates")
    if section.exit:
        return None
    found: list[dict[str, Any]] = []
    file, block = "", list[str]()
    for line in section.lines:
        if line.startswith("file "):
            file = line.removeprefix("file ")
        elif line == _BEGIN:
            block = [line]
        elif not block:
            return None
        else:
            block.append(line)
            if line == _END:
                found.append({"file": file, **_described("\n".join(block) + "\n")})
                block = []
    return found


def _described(pem: str) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.utils import CryptographyDeprecationWarning

    try:
        with warnings.catch_warnings():
            # Authorities of others give themselves the number 0; the certificate is read all the same.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            found = x509.load_pem_x509_certificate(pem.encode())
            return {
                "subject": found.subject.rfc4514_string(),
                "issuer": found.issuer.rfc4514_string(),
                "serial": format(found.serial_number, "x"),
                "not_after": found.not_valid_after_utc.isoformat(timespec="seconds"),
            }
    except ValueError as error:
        return {"problem": f"cannot be understood: {' '.join(str(error).split())[:120]}"}
