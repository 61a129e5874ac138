"""What counts as drift of a live object, and what the API server only filled in."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest

from govhub.core.diff import dotted
from govhub.core.secrets import MASK, Secret
from govhub.engine.live import foreign_patch, live_differences
from govhub.engine.planner import FINGERPRINT
from govhub.engine.state import Recorded
from govhub.inventory.model.tenancy import SecretRef
from govhub.stacks.graph import Identity

Body = dict[str, Any]
DEPLOYMENT: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "a-prod", "labels": {"app": "web", "empty": "", "size": "1"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "web",
                        "image": "r/web:1",
                        "resources": {"requests": {"cpu": "1000m", "memory": "1Gi"}},
                        "securityContext": {"allowPrivilegeEscalation": False},
                    }
                ],
            },
        },
    },
}


def served(wanted: Body) -> Body:
    """The object as the API server gives it back: defaults, status, rewritten quantities, field managers."""
    live = copy.deepcopy(wanted)
    live["metadata"] |= {
        "uid": "1",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    live["metadata"]["managedFields"] = [
        managed("govhub", {"f:spec": {"f:replicas": {}}}),
        managed(
            "kube-controller-manager", {"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}}
        ),
        managed("kwok", {"f:status": {"f:readyReplicas": {}}}, subresource="status"),
    ]
    live["status"] = {"replicas": 2, "readyReplicas": 2}
    if live["kind"] == "Deployment":
        live["spec"] |= {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10}
        pod = live["spec"]["template"]["spec"]
        pod |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
        pod["containers"][0] |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
        pod["containers"][0]["resources"]["requests"] = {"cpu": "1", "memory": "1024Mi"}
    return live


def managed(manager: str, fields: Body, **more: str) -> Body:
    return {"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": fields, **more}


class _Prints:
    """Fingerprints without a key file."""

    def resolve(self, ref: SecretRef, address: str) -> Secret | None:
        return None

    def fingerprint(self, secret: Secret) -> str:
        return secret.fingerprint(b"key")


def found(wanted: Body, live: Body, *, patch: bool = False) -> dict[str, tuple[str, Any, Any]]:
    recorded = Recorded("urn", Identity.of(wanted), wanted, patch)
    return {dotted(one.path): (one.op, one.old, one.new) for one in live_differences(recorded, live, _Prints())}


def container(live: Body) -> Body:
    entry: Body = live["spec"]["template"]["spec"]["containers"][0]
    return entry


RESTARTED: Body = {"f:kubectl.kubernetes.io/restartedAt": {}}
LAST_APPLIED: Body = {"f:kubectl.kubernetes.io/last-applied-configuration": {}}
GONE: Body = {'k:{"name":"gone"}': {"f:image": {}}}
CONTAINER = "spec.template.spec.containers[0]"
IN_CONTAINER: Body = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {}}}}}}


def by_hand(live: Body, fields: Body, manager: str = "kubectl-edit") -> None:
    live["metadata"]["managedFields"].append(managed(manager, fields))


def _scaled(live: Body) -> None:
    live["spec"]["replicas"] = 5


def _label_gone(live: Body) -> None:
    del live["metadata"]["labels"]["app"]


def _empty_label_gone(live: Body) -> None:
    del live["metadata"]["labels"]["empty"]


def _label_same_amount(live: Body) -> None:
    live["metadata"]["labels"]["size"] = "1000m"


def _image(live: Body) -> None:
    container(live)["image"] = "evil/web:1"


def _memory(live: Body) -> None:
    container(live)["resources"]["requests"]["memory"] = "2Gi"


def _token(live: Body) -> None:
    del live["spec"]["template"]["spec"]["automountServiceAccountToken"]


def _privileges(live: Body) -> None:
    del container(live)["securityContext"]["allowPrivilegeEscalation"]


def _sidecar(live: Body) -> None:
    live["spec"]["template"]["spec"]["containers"].append({"name": "miner", "image": "evil/miner"})


def _label_added(live: Body) -> None:
    live["metadata"]["labels"]["owner"] = "me"
    by_hand(live, {"f:metadata": {"f:labels": {"f:owner": {}}}}, "kubectl-label")


def _field_added(live: Body) -> None:
    live["spec"]["paused"] = True
    by_hand(live, {"f:spec": {"f:paused": {}}}, "kubectl-rollout")


def _command_added(live: Body) -> None:
    container(live)["command"] = ["sh"]
    fields = copy.deepcopy(IN_CONTAINER)
    fields["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}'] = {".": {}, "f:command": {}}
    by_hand(live, fields)


def _privileged_added(live: Body) -> None:
    container(live)["securityContext"]["privileged"] = True
    inner: Body = {"f:securityContext": {"f:privileged": {}}}
    fields = copy.deepcopy(IN_CONTAINER)
    fields["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}'] = inner
    by_hand(live, fields)


@pytest.mark.parametrize(
    ("edit", "path", "op"),
    [
        (_scaled, "spec.replicas", "change"),
        (_label_gone, "metadata.labels.app", "remove"),
        (_empty_label_gone, "metadata.labels.empty", "remove"),
        (_label_same_amount, "metadata.labels.size", "change"),
        (_image, f"{CONTAINER}.image", "change"),
        (_memory, f"{CONTAINER}.resources.requests.memory", "change"),
        (_token, "spec.template.spec.automountServiceAccountToken", "remove"),
        (_privileges, f"{CONTAINER}.securityContext.allowPrivilegeEscalation", "remove"),
        (_sidecar, "spec.template.spec.containers", "change"),
        (_label_added, "metadata.labels.owner", "add"),
        (_field_added, "spec.paused", "add"),
        (_command_added, f"{CONTAINER}.command", "add"),
        (_privileged_added, f"{CONTAINER}.securityContext.privileged", "add"),
    ],
)
def test_a_hand_edit_is_one_difference_at_its_path(edit: Callable[[Body], None], path: str, op: str) -> None:
    live = served(DEPLOYMENT)
    edit(live)
    differences = found(DEPLOYMENT, live)
    assert {key: value[0] for key, value in differences.items()} == {path: op}


def test_defaults_rewritten_quantities_status_and_controllers_are_no_difference() -> None:
    assert found(DEPLOYMENT, served(DEPLOYMENT)) == {}


@pytest.mark.parametrize(
    ("manager", "fields"),
    [
        ("kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": {"f:annotations": RESTARTED}}}}),
        ("kubectl-client-side-apply", {"f:metadata": {"f:annotations": LAST_APPLIED}}),
        ("kubectl-edit", {"f:spec": {"f:replicas": {}}}),
        ("kubectl-edit", {"f:status": {"f:x": {}}}),
        ("kubectl-edit", {"f:metadata": {"f:finalizers": {".": {}, 'v:"x"': {}}}}),
        ("kube-scheduler", {"f:spec": {"f:added": {}}}),
        ("kubectl-edit", {"f:spec": {"f:gone": {}}}),
        ("kubectl-edit", {"f:spec": {"f:template": {"f:spec": {"f:containers": GONE}}}}),
    ],
)  # fmt: skip
def test_what_others_manage_without_adding_to_ours_is_no_difference(manager: str, fields: Body) -> None:
    live = served(DEPLOYMENT)
    live["spec"]["added"] = "by a controller"
    live["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "now"}
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
    by_hand(live, fields, manager)
    assert found(DEPLOYMENT, live) == {}


NODE: Body = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"govhub.io/pool": "general"}},
    "spec": {"taints": [{"key": "pool", "value": "gpu", "effect": "NoSchedule"}]},
}


def test_taints_of_controllers_are_theirs_and_a_missing_one_of_ours_is_a_difference() -> None:
    live = served(NODE)
    live["spec"]["taints"].insert(0, {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"})
    assert found(NODE, live, patch=True) == {}
    live["spec"]["taints"].pop()
    assert found(NODE, live, patch=True)["spec.taints"][0] == "remove"
    live["spec"].pop("taints")
    assert found(NODE, live, patch=True)["spec.taints"][0] == "remove"


def test_on_an_object_of_others_only_our_fields_count() -> None:
    live = served(NODE)
    live["metadata"]["labels"]["theirs"] = "x"
    by_hand(live, {"f:metadata": {"f:labels": {"f:theirs": {}}}}, "kubectl-label")
    assert found(NODE, live, patch=True) == {}


QUOTA: Body = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota", "namespace": "a-prod"},
    "spec": {"hard": {"requests.cpu": "1500m", "requests.memory": "8Gi", "pods": 20}},
}


@pytest.mark.parametrize(
    ("name", "live", "same"),
    [
        ("requests.cpu", "1500m", True),
        ("requests.cpu", "1.5", True),
        ("requests.cpu", "2", False),
        ("requests.memory", "8192Mi", True),
        ("requests.memory", "8G", False),
        ("pods", "20", True),
        ("pods", "21", False),
        ("pods", "many", False),
    ],
)
def test_quantities_are_compared_by_amount(name: str, live: str, same: bool) -> None:
    body = served(QUOTA)
    body["spec"]["hard"][name] = live
    assert (found(QUOTA, body) == {}) is same


def secret(value: str) -> tuple[Body, Body]:
    print_ = Secret("right-value").fingerprint(b"key")
    meta = {"name": "db", "namespace": "a-prod", "annotations": {FINGERPRINT: print_}}
    wanted: Body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": {"value": None}}
    live = copy.deepcopy(wanted)
    live["metadata"]["managedFields"] = []
    live["data"] = {"value": value}
    return wanted, live


def test_a_secret_is_compared_by_fingerprint_and_never_shown() -> None:
    assert found(*secret(base64.b64encode(b"right-value").decode())) == {}
    for wrong in (base64.b64encode(b"wrong-value").decode(), "", "%%%", base64.b64encode(b"\xff\xfe").decode()):
        differences = found(*secret(wrong))
        assert differences == {"data.value": ("change", MASK, MASK)}, wrong


def test_a_key_added_to_a_secret_is_found_and_masked() -> None:
    wanted, live = secret(base64.b64encode(b"right-value").decode())
    live["data"]["extra"] = base64.b64encode(b"stolen").decode()
    live["metadata"]["managedFields"] = [managed("kubectl-edit", {"f:data": {"f:extra": {}}})]
    assert found(wanted, live) == {"data.extra": ("add", None, MASK)}


@pytest.mark.parametrize(
    ("edit", "patch"),
    [
        (_label_added, {"metadata": {"labels": {"owner": None}}}),
        (_field_added, {"spec": {"paused": None}}),
        (_scaled, {}),
        (_sidecar, {"spec": {"template": {"spec": {"containers": "ours"}}}}),
        (_command_added, {"spec": {"template": {"spec": {"containers": "ours"}}}}),
        (_privileged_added, {"spec": {"template": {"spec": {"containers": "ours"}}}}),
    ],
)
def test_the_repair_patch_takes_additions_out_and_puts_lists_back(edit: Callable[[Body], None], patch: Body) -> None:
    live = served(DEPLOYMENT)
    edit(live)
    recorded = Recorded("urn", Identity.of(DEPLOYMENT), DEPLOYMENT, False)
    made = foreign_patch(live_differences(recorded, live, _Prints()), DEPLOYMENT)
    ours = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
    if "template" in patch.get("spec", {}):
        assert made == {"spec": {"template": {"spec": {"containers": ours}}}}
    else:
        assert made == patch


def test_several_additions_make_one_patch() -> None:
    live = served(DEPLOYMENT)
    for edit in (_label_added, _field_added, _sidecar):
        edit(live)
    recorded = Recorded("urn", Identity.of(DEPLOYMENT), DEPLOYMENT, False)
    made = foreign_patch(live_differences(recorded, live, _Prints()), DEPLOYMENT)
    assert made["metadata"] == {"labels": {"owner": None}}
    assert set(made["spec"]) == {"paused", "template"}
