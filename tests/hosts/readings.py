"""Readings made by hand: what a host could answer, without a host."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from govhub.core.sections import Reading, parse
from govhub.core.settings import hub_home

MARK = "@mark"
TIME = "2026-03-02T08:00:00+00:00"
SECTIONS: dict[str, str] = {
    "hostname": "node5",
    "release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"',
    "kernel": "Linux 6.1.0-28-amd64 x86_64",
    "uptime": "3600.50 7000.00",
    "cpu": "processor\t: 0\nmodel name\t: Some CPU",
    "cores": "16",
    "memory": "MemTotal:       65536 kB\nMemAvailable:   32768 kB\nSwapTotal:      0 kB",
    "disks": "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 1000 950 50 95% /",
    "blocks": 'NAME="vda" TYPE="disk" SIZE="1024000" ROTA="0" MODEL="NVMe"\nNAME="vda1" TYPE="part" SIZE="1"',
    "zone": "/usr/share/zoneinfo/Asia/Shanghai",
    "virtual": "none",
    "reboot": "",
    "packages": "ii \tacl\t2.3.1-3\nrc \told\t1\nii \tzlib\t1.2",
    "upgrades": "Inst zlib [1.2] (1.3 mirror [amd64])\nConf zlib (1.3 mirror [amd64])",
    "sources": "http://mirror/debian/ bookworm yes",
    "configured": "http://mirror/debian/",
    "insecure": "",
    "compilers": "",
    "listening": (
        'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=36,fd=3))\n'
        'tcp LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=36,fd=4))\n'
        'tcp LISTEN 0 4096 127.0.0.1:10248 0.0.0.0:* users:(("kubelet",pid=9,fd=4))\n'
        'udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=7,fd=1))\n'
        'tcp LISTEN 0 128 [::1]:631 [::]:* users:(("cupsd",pid=8,fd=1))'
    ),
    "tracking": "0A4D000B,10.77.0.11,3,1772438400.1,0.000012,-0.000001,0.1,1,0,0,0.001,0.002,64.2,Normal",
    "timesources": "^,*,10.77.0.11,2,6,377,12,0.0,0.0,0.1",
    "services": "ssh.service loaded active running Secure Shell\nx.service loaded failed failed Something",
    "passwd": "root:x:0:0:root:/root:/bin/bash\ngovhub:x:1000:1000::/home/govhub:/bin/bash",
    "group": "root:x:0:\nsudo:x:27:wu\ngovhub:x:1000:",
    "shadow": "root:locked:20000:99999\ngovhub:locked:20000:99999",
    "certificates": "",
}


def answer(**more: str) -> str:
    """What the script would print."""
    parts = []
    for name, text in (SECTIONS | more).items():
        parts += [f"{MARK} begin {name}", *text.splitlines(), "", f"{MARK} end {name} 0"]
    return "\n".join([*parts, f"{MARK} complete"])


def reading(host: str = "node5", **more: str) -> Reading:
    """A reading with other sections than the usual ones."""
    sections = parse(answer(**more), MARK)
    assert sections is not None
    return Reading(host=host, time=TIME, sections=sections, offset=0.01, uncertainty=0.02)


def without(found: Reading, *names: str) -> Reading:
    """The same with sections that could not be read."""
    return replace(found, sections={name: item for name, item in found.sections.items() if name not in names})


def save(hub: str, found: Reading) -> None:
    """As a sweep keeps it."""
    path = hub_home(hub) / "readings" / f"{found.host}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found.as_dict()), encoding="utf-8")


def certificate(days: int) -> str:
    """A certificate that is good for so many days from now."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node5")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
    return made.sign(key, None).public_bytes(serialization.Encoding.PEM).decode()
