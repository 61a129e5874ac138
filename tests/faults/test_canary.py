"""A canary secret goes through a hub's whole life and is afterwards found in the live Secret and nowhere else."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faults.cli import Done, govhub
from govhub.core.kube import KINDS, Kind, Kube, KubeError
from govhub.core.secrets import MASK

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine
FROM_ENV = "cAn4ry-env <&> \"q\" 'pässwörd' \\ 密码 7Qx"
FROM_FILE = "cAn4ry-file-line-one-8Wz\n  cAn4ry-file-line-two \\x <&>\ncAn4ry-file-line-three-9Yv"
ROTATED = "cAn4ry-rotated-5Tn2Lk8"
SECRETS = "secrets: [{name: db-password, env: MINI_DB}, {name: file-key, file: $FILE}]"
NAMESPACE = "education-prod"


def spellings(value: str) -> set[bytes]:
    """The value and its lines, in clear, as JSON spells them, and in base64."""
    lines = [line.strip() for line in value.splitlines()]
    out = set()
    for text in {value, *lines}:
        plain = json.dumps(text, ensure_ascii=False)[1:-1]
        html = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        out |= {text, plain, html, json.dumps(text)[1:-1], json.dumps(plain)[1:-1]}
        out |= {base64.b64encode(form.encode()).decode().rstrip("=") for form in (text, plain)}
    return {text.encode() for text in out}


NEEDLES = set().union(*map(spellings, (FROM_ENV, FROM_FILE, ROTATED)))
# What all of them have in common, in clear and at each of the three offsets base64 knows: as many characters as its
# bytes alone decide. Four would now and then turn up by chance in a log that the engine has compressed.
OFFSETS = ((0, 0, 9), (1, 4, 10), (2, 4, 12))
NEEDLES |= {b"cAn4ry", *(base64.b64encode(b"x" * shift + b"cAn4ry-")[start:end] for shift, start, end in OFFSETS)}


@dataclass
class Journey:
    """What was shown, and where files may have been left."""

    hub: LabHub
    folder: Path
    shown: dict[str, str] = field(default_factory=dict)

    def run(self, *args: str, value: str = FROM_ENV, code: int = 0) -> Done:
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        # Nothing but the command line's own process sees the variable.
        done = govhub(*args, env={"MINI_DB": value, "TMPDIR": str(folder), "GOVHUB_DEBUG": ""})
        assert done.returncode == code, done.stdout + done.stderr
        self.shown[f"{len(self.shown)} {' '.join(args)}"] = done.stdout + done.stderr
        return done

    def leaks(self) -> list[str]:
        """Where any spelling of a canary stands: the lab's own data is the cluster, which has the live Secret."""
        searched, found = 0, []
        for name, text in self.shown.items():
            found += [f"output of {name}: {near(text.encode())}"] if hits(text.encode()) else []
        for base in (self.hub.home, self.folder, self.hub.folder, Path.home()):
            for path in base.rglob("*"):
                if path.is_file() and not path.is_relative_to(self.hub.home / "lab") and path.name != "the-secret":
                    searched += 1
                    found += [f"{path}: {near(path.read_bytes())}"] if hits(path.read_bytes()) else []
        assert searched > 60
        return found


def hits(data: bytes) -> list[bytes]:
    return [needle for needle in NEEDLES if needle in data]


def near(data: bytes) -> str:
    """What stands around the first hit, to see how it got there."""
    place = min(data.index(needle) for needle in hits(data))
    return repr(data[max(place - 60, 0) : place + 90])


@pytest.fixture(scope="module")
def journey(mini: LabHub, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    folder = tmp_path_factory.mktemp("canary")
    secret = folder / "the-secret"
    secret.write_text(FROM_FILE, encoding="utf-8")
    secret.chmod(0o600)
    mini.edit("systems.yaml", "secrets: [{name: db-password, generate: 24}]", SECRETS.replace("$FILE", str(secret)))
    return Journey(mini, folder)


def live(hub: LabHub, name: str) -> str:
    body = hub.object(f"Secret/{NAMESPACE}/school-enrolment-{name}")
    return base64.b64decode(body["data"]["value"]).decode()


def test_the_search_finds_a_canary_however_it_is_spelled(tmp_path: Path) -> None:
    for text in (FROM_ENV, json.dumps({"a": FROM_ENV}), json.dumps(json.dumps(FROM_FILE, ensure_ascii=False))):
        assert hits(f"before {text} after".encode())
        assert hits(base64.b64encode(f"x{text}".encode()))
        assert hits(base64.b64encode(f"xx{text}".encode()))


def test_without_its_value_a_secret_is_not_created_empty(journey: Journey) -> None:
    done = journey.run("up", str(journey.hub.folder), "--yes", value="", code=3)
    assert "SEC014" in done.stderr
    assert journey.hub.live() == {}


def test_a_plan_and_the_first_run_show_nothing(journey: Journey) -> None:
    hub = str(journey.hub.folder)
    files = [str(journey.folder / name) for name in ("plan.json", "plan.md", "events.ndjson")]
    journey.run("plan", hub, "--json", "--out", files[0], "--markdown", files[1])
    journey.run("plan", hub, "--verbose", "--engine")
    journey.run("up", hub, "--plan", files[0], "--yes", "--events", files[2], "--verbose", "--wait", "0")
    assert live(journey.hub, "db-password") == FROM_ENV
    assert live(journey.hub, "file-key") == FROM_FILE
    assert all(Path(path).stat().st_size > 500 for path in files)
    assert journey.leaks() == []


def test_a_rotation_shows_that_it_changes_and_not_to_what(journey: Journey) -> None:
    hub = str(journey.hub.folder)
    done = journey.run("plan", hub, "--json", value=ROTATED)
    assert json.loads(done.stdout)["summary"]["update"] == 2
    assert "secret-fingerprint" in done.stdout
    journey.run("up", hub, "--yes", "--json", "--wait", "0", value=ROTATED)
    assert live(journey.hub, "db-password") == ROTATED
    assert journey.leaks() == []


def test_a_run_without_the_value_leaves_the_live_one_alone(journey: Journey) -> None:
    """Most of the shard changes, so that the engine is asked for all of it, the secret of unknown value too."""
    original = (journey.hub.folder / "systems.yaml").read_text(encoding="utf-8")
    changed = original.replace("tier: 2", "tier: 3").replace("memory: 512Mi", "memory: 576Mi")
    (journey.hub.folder / "systems.yaml").write_text(changed, encoding="utf-8")
    done = journey.run("up", str(journey.hub.folder), "--yes", "--json", "--wait", "0", value="")
    assert json.loads(done.stdout)["status"] == "done"
    assert live(journey.hub, "db-password") == ROTATED
    assert journey.leaks() == []


def test_drift_of_a_secret_is_found_shown_as_changed_and_repaired(journey: Journey) -> None:
    hub, kind = str(journey.hub.folder), KINDS["", "Secret"]
    edited = base64.b64encode(b"cAn4ry-by-hand").decode()
    journey.hub.kube().patch(kind, "school-enrolment-db-password", NAMESPACE, {"data": {"value": edited}})
    done = journey.run("drift", hub, "--json", value=ROTATED)
    (item,) = json.loads(done.stdout)["drifted"]
    assert (item["kind"], MASK in json.dumps(item["diff"])) == ("edited", True)
    journey.run("up", hub, "--yes", "--wait", "0", value=ROTATED)
    assert live(journey.hub, "db-password") == ROTATED
    assert journey.leaks() == []


ADMISSION = "admissionregistration.k8s.io"
PROBE = base64.b64encode(b"probe").decode()


@pytest.fixture
def gossip(journey: Journey) -> Iterator[None]:
    """An admission policy that refuses the secret and repeats its value in the refusal."""
    kube, name = journey.hub.kube(), "gossip"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}
    refusal = {"expression": "false", "messageExpression": "'gossip: ' + object.data['value']"}
    policy = {
        "apiVersion": f"{ADMISSION}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": [refusal]},
    }
    binding = {
        "apiVersion": f"{ADMISSION}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    kube.create(policy)
    kube.create(binding)
    try:
        assert f"gossip: {PROBE}" in _refusal(kube), "a refusal says the value as the server sees it: in base64"
        yield
    finally:
        kinds: list[Kind] = [KINDS[ADMISSION, str(body["kind"])] for body in (binding, policy)]
        for kind in kinds:
            kube.delete(kind, name)


def _refusal(kube: Kube) -> str:
    """What the server says to a secret, as soon as the policy has taken effect."""
    meta = {"name": "probe", "namespace": "default"}
    probe = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"value": PROBE}}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            kube.create(probe, dry_run=True)
        except KubeError as error:
            return str(error)
        time.sleep(0.2)
    pytest.fail("the policy never took effect")


def test_a_server_that_repeats_the_secret_in_its_refusal_is_not_quoted(journey: Journey, gossip: None) -> None:
    done = journey.run("up", str(journey.hub.folder), "--yes", "--verbose", "--wait", "0", value=FROM_ENV, code=1)
    assert "gossip" in done.stdout + done.stderr, "the refusal itself is shown"
    assert journey.leaks() == []


def test_keys_and_state_are_private(journey: Journey) -> None:
    base = journey.hub.home / "hubs" / "mini"
    for name in ("key", "passphrase"):
        assert stat.S_IMODE((base / name).stat().st_mode) == 0o600
    for folder in (base, base / "state", base / "runs", base / "work", *(base / "runs").iterdir()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    key = (base / "key").read_text().strip()
    for name, text in journey.shown.items():
        assert key not in text, name


def test_after_the_end_nothing_was_left_anywhere(journey: Journey) -> None:
    # A policy that was deleted is still enforced for a moment.
    deadline = time.monotonic() + 20
    hub = str(journey.hub.folder)
    while govhub("up", hub, "--yes", "--wait", "0", env={"MINI_DB": FROM_ENV}).returncode:
        assert time.monotonic() < deadline
    assert live(journey.hub, "db-password") == FROM_ENV
    journey.run("status", str(journey.hub.folder), "--json")
    journey.run("destroy", str(journey.hub.folder), "--yes", "--confirm", "mini", "--verbose")
    assert journey.hub.live() == {}
    assert journey.leaks() == []
    assert len(journey.shown) > 9
