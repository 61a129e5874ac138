"""The real sushy-tools emulator as a process on loopback: what enrolment is tested against.

Its fake driver keeps power and boot device of machines, and switches them as hardware does: a second later. It has no
processors, memory, drives or serial numbers; the configuration file, which is Python, teaches it to tell those.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt

USER, PASSWORD = "enrolment", "correct-horse-battery"
CONFIG = """
import json, types
from pathlib import Path
from flask import request
from sushy_tools.emulator import main
from sushy_tools.emulator.resources.systems import fakedriver

FACTS = json.loads(Path(@FOLDER@, "facts.json").read_text())
SUSHY_EMULATOR_STATE_DIR = @FOLDER@
SUSHY_EMULATOR_AUTH_FILE = @FOLDER@ + "/htpasswd"
SUSHY_EMULATOR_FEATURE_SET = "full"
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {"uuid": uuid, "name": facts["name"], "power_state": "Off",
     "nics": [{"mac": mac, "ip": ""} for mac in facts["macs"]]}
    for uuid, facts in FACTS.items()
]
# Up to eleven seconds otherwise.
fakedriver.random = types.SimpleNamespace(randint=lambda *_: 1)


class Driver(fakedriver.FakeDriver):
    def _facts(self, identity):
        return FACTS[self.uuid(identity)]

    def get_total_memory(self, identity):
        return self._facts(identity)["gib"]

    def get_total_cpus(self, identity):
        return sum(item["cores"] for item in self._facts(identity)["processors"])

    def get_processors(self, identity):
        return self._facts(identity)["processors"]

    def get_simple_storage_collection(self, identity):
        drives = [{"Name": f"d{i}", "CapacityBytes": size} for i, size in enumerate(self._facts(identity)["drives"])]
        return {"raid": {"Id": "raid", "Name": "raid", "DeviceList": drives}}


fakedriver.FakeDriver = Driver


@main.app.after_request
def tell(response):
    parts = request.path.strip("/").split("/")
    if request.method == "PATCH":
        with open(@FOLDER@ + "/patches", "a") as file:
            file.write(json.dumps(request.json) + "\\n")
    if request.method == "GET" and len(parts) == 4 and parts[2] == "Systems" and parts[3] in FACTS:
        document = response.get_json()
        document |= FACTS[parts[3]]["told"]
        response.set_data(json.dumps(document))
    if "Processors" in parts and len(parts) == 6:
        text = response.get_data(as_text=True)
        for old, new in FACTS[parts[3]]["instructions"].items():
            text = text.replace(old, new)
        response.set_data(text)
    return response
"""


@dataclass
class Facts:
    """What a machine is; one socket of each architecture's usual kind unless told otherwise."""

    serial: str
    name: str = "machine"
    cores: int = 16
    gib: int = 64
    drives: tuple[int, ...] = (960_000_000_000, 960_000_000_000)
    macs: tuple[str, ...] = ("52:54:00:00:00:01", "52:54:00:00:00:02")
    arm: bool = False
    sockets: int = 2
    told: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        processors = [
            {"id": f"CPU{i}", "socket": f"P{i}", "vendor": "Hygon", "model": "C86", "cores": self.cores // self.sockets}
            | {"threads": 2 * self.cores // self.sockets}
            for i in range(self.sockets)
        ]
        told = {"SerialNumber": self.serial, "Manufacturer": "Inspur", "Model": "NF5280M6"} | self.told
        swap = {'"x86-64"': '"ARM-A64"', '"x86"': '"ARM"'} if self.arm else {}
        return {
            "name": self.name,
            "gib": self.gib,
            "macs": list(self.macs),
            "drives": list(self.drives),
            "processors": processors,
            "told": told,
            "instructions": swap,
        }


@dataclass
class Emulator:
    """One management controller."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    scheme: str

    @property
    def bmc(self) -> str:
        """As in hub files; https needs no scheme there."""
        return f"http://127.0.0.1:{self.port}" if self.scheme == "http" else f"127.0.0.1:{self.port}"

    def system(self) -> dict[str, Any]:
        """The machine as the emulator has it, asked without any of our code."""
        (one,) = json.loads(self.get("/redfish/v1/Systems"))["Members"]
        found: dict[str, Any] = json.loads(self.get(one["@odata.id"]))
        return found

    def patches(self) -> list[dict[str, Any]]:
        """Every change that it was asked for beside actions."""
        path = self.folder / "patches"
        return [json.loads(item) for item in path.read_text().splitlines()] if path.exists() else []

    def comes_to(self, power: str) -> bool:
        """Whether the machine comes to this power state."""
        until = time.monotonic() + 8
        while self.system()["PowerState"] != power:
            if time.monotonic() > until:
                return False
            time.sleep(0.2)
        return True

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def get(self, path: str) -> bytes:
        """One answer, asked for without any of our code."""
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            data: bytes = answer.read()
            return data


def start(folder: Path, *machines: Facts, tls: tuple[Path, Path] | None = None) -> Emulator:
    """Start an emulator with these machines; ``tls`` is a certificate and its key."""
    folder.mkdir(parents=True)
    uuids = [f"27946b59-9e44-4fa7-8e91-{folder.name[-4:].encode().hex()[:8]:0>8}{i:04d}" for i in range(len(machines))]
    facts = {uuid: machine.document() for uuid, machine in zip(uuids, machines, strict=True)}
    (folder / "facts.json").write_text(json.dumps(facts))
    digest = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{USER}:{digest}\n")
    (folder / "config.py").write_text(CONFIG.replace("@FOLDER@", repr(str(folder))))
    port = free_port()
    words = [str(Path(sys.executable).parent / "sushy-emulator"), "--fake", "--config", str(folder / "config.py")]
    words += ["-i", "127.0.0.1", "-p", str(port)]
    if tls:
        words += ["--ssl-certificate", str(tls[0]), "--ssl-key", str(tls[1])]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=dict(os.environ), stdout=log, stderr=log)
    emulator = Emulator(folder, port, process, "https" if tls else "http")
    until = time.monotonic() + 20
    while not _answers(port):
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.1)
    return emulator


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
