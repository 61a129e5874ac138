"""SSH signatures, by OpenSSH's own tool: people have such keys, and examiners can check them without us."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from govhub.core.errors import InvalidInput, ToolMissing

NAMESPACE = "govhub-approval"
_MISSING = "Debian: apt-get install openssh-client"


def sign(statement: str, key: Path) -> str:
    """The armoured signature of a statement.

    Args:
        statement: The text that is signed, byte by byte.
        key: A private key, or the public key of one that an agent or a token holds.

    Raises:
        InvalidInput: the key cannot be used (APR012).
        ToolMissing: OpenSSH is not installed (APR013).
    """
    done = _keygen("-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), stdin=statement)
    if done.returncode or "BEGIN SSH SIGNATURE" not in done.stdout:
        text = (done.stderr.strip().splitlines() or ["no signature came back"])[-1][:200]
        hint = "give the private key that belongs to the public key in the hub file, readable by you alone"
        raise InvalidInput.one("APR012", f"the key {key} does not sign: {text}", hint=hint)
    return done.stdout


def verifies(statement: str, signature: str, name: str, public_key: str) -> bool:
    """Whether this key made this signature of exactly this statement.

    Raises:
        ToolMissing: OpenSSH is not installed (APR013).
    """
    with tempfile.TemporaryDirectory(prefix="govhub-approval-") as scratch:
        signers, proof = Path(scratch) / "signers", Path(scratch) / "signature"
        # One line, one key: a comment or a line's end in the file must not smuggle in another one.
        words = public_key.split()
        signers.write_text(f'{name} namespaces="{NAMESPACE}" {words[0]} {words[1]}\n', encoding="utf-8")
        proof.write_text(signature, encoding="utf-8")
        done = _keygen(
            "-Y", "verify", "-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", str(proof), stdin=statement
        )
    return done.returncode == 0


def _keygen(*words: str, stdin: str) -> subprocess.CompletedProcess[str]:
    try:
        command = ["ssh-keygen", *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError as error:
        raise ToolMissing.one("APR013", "OpenSSH's ssh-keygen is not installed", hint=_MISSING) from error
