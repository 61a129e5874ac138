"""What guards the tenants, shown on the live server: it is the API server that refuses, not our own checks."""

from __future__ import annotations

import copy
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.kube import KINDS, Kube, KubeError
from govhub.core.secrets import Secret
from govhub.core.settings import content
from govhub.inventory.model.tenancy import SecretRef
from govhub.lab.toolchain import require
from govhub.ops.load import valid_hub
from govhub.stacks.graph import Graph
from govhub.stacks.render import render
from live.schemas import write_schemas

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

SHIPPED = ("jinzhou", "yichang", "langfang", "dazu", "huating")
OURS = "registry.mini.gov.internal/education/probe:1.0.0"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
LABELS = {"govhub.io/tenant": "education", "govhub.io/system": "probe"}


@pytest.fixture(scope="module")
def hub(mini: LabHub) -> LabHub:
    assert mini.up().status == "done"
    # Policies take effect a moment after they were stored.
    deadline = time.monotonic() + 30
    while refusal(mini.kube(), pod(image="docker.io/library/nginx:1.29")) == "" and time.monotonic() < deadline:
        time.sleep(0.2)
    return mini


@pytest.fixture
def kube(hub: LabHub) -> Kube:
    return hub.kube()


def pod(image: str = OURS, cpu: str = "100m", labels: dict[str, str | None] | None = None) -> dict[str, Any]:
    """A pod that may run, unless an argument makes it one that may not; a label of None is left out."""
    named = {f"govhub.io/{key}": value for key, value in (labels or {}).items()}
    resources = {"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    container = {"name": "main", "image": image, "resources": resources, "securityContext": copy.deepcopy(RESTRICTED)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "probe",
            "namespace": "education-prod",
            "labels": {key: value for key, value in (LABELS | named).items() if value is not None},
        },
        "spec": {"containers": [container]},
    }


def refusal(kube: Kube, body: dict[str, Any]) -> str:
    """Why the API server refuses an object; empty when it would take it."""
    try:
        kube.create(body, dry_run=True)
    except KubeError as error:
        # Anything else, such as a mistake in the test's own object, is no refusal.
        if error.status not in (403, 422):
            raise
        return str(error)
    return ""


def test_a_good_pod_is_accepted(kube: Kube) -> None:
    assert refusal(kube, pod()) == ""
    kube.create(pod())
    assert kube.delete(KINDS["", "Pod"], "probe", "education-prod")


def test_a_pod_beyond_the_quota_is_refused(kube: Kube) -> None:
    assert "exceeded quota: quota" in refusal(kube, pod(cpu="3"))


def test_real_pods_fill_the_quota_until_the_next_is_refused(kube: Kube) -> None:
    namespace, made, why = "civil-affairs-test", [], ""
    try:
        for number in range(5):
            body = pod(cpu="400m", labels={"tenant": "civil-affairs"})
            body["metadata"] |= {"name": f"filler-{number}", "namespace": namespace}
            try:
                kube.create(body)
            except KubeError as error:
                why = str(error)
                break
            made.append(body["metadata"]["name"])
    finally:
        for name in made:
            kube.delete(KINDS["", "Pod"], name, namespace)
    assert len(made) == 2  # a quarter of four cores holds two of 400m
    assert "exceeded quota" in why


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/library/nginx:1.29",
        "nginx:1.29",
        "registry.mini.gov.internal.evil.example/education/probe:1.0.0",
    ],
)
def test_an_image_from_a_foreign_registry_is_refused(kube: Kube, image: str) -> None:
    assert "images must come from" in refusal(kube, pod(image=image))


@pytest.mark.parametrize("tag", [":latest", ""])
def test_an_image_without_a_fixed_tag_is_refused(kube: Kube, tag: str) -> None:
    assert "tag other than latest" in refusal(kube, pod(image=OURS.removesuffix(":1.0.0") + tag))


def test_a_foreign_image_hidden_in_an_init_container_or_a_deployment_is_refused(kube: Kube) -> None:
    hidden = pod()
    hidden["spec"]["initContainers"] = [hidden["spec"]["containers"][0] | {"name": "init", "image": "evil.io/x:1"}]
    assert "images must come from" in refusal(kube, hidden)
    assert "images must come from" in refusal(kube, deployment(pod(image="evil.io/x:1")))
    assert refusal(kube, deployment(pod())) == ""


def deployment(template: dict[str, Any]) -> dict[str, Any]:
    labels = template["metadata"]["labels"]
    inner = {"metadata": {"labels": labels}, "spec": template["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": dict(LABELS)}, "template": inner}
    meta = {"name": "probe", "namespace": "education-prod"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"tenant": None}, "pods need the label govhub.io/tenant"),
        ({"tenant": "civil-affairs"}, "pods need the label govhub.io/tenant"),
        ({"system": None}, "pods need the label govhub.io/system"),
        ({"system": ""}, "pods need the label govhub.io/system"),
    ],
)
def test_a_pod_without_its_owner_labels_is_refused(kube: Kube, labels: dict[str, str | None], why: str) -> None:
    assert why in refusal(kube, pod(labels=labels))


@pytest.mark.parametrize(
    "context", [{"privileged": True, "allowPrivilegeEscalation": True}, {"runAsNonRoot": False, "runAsUser": 0}]
)
def test_a_privileged_or_root_pod_is_refused(kube: Kube, context: dict[str, Any]) -> None:
    body = pod()
    body["spec"]["containers"][0]["securityContext"] |= context
    assert 'violates PodSecurity "restricted' in refusal(kube, body)


def test_a_pod_in_the_hosts_network_is_refused(kube: Kube) -> None:
    body = pod()
    body["spec"] |= {"hostNetwork": True}
    assert 'violates PodSecurity "restricted' in refusal(kube, body)


def test_every_tenant_namespace_denies_both_directions_by_default(hub: LabHub, kube: Kube) -> None:
    namespaces = {
        item["metadata"]["name"]
        for item in kube.list(KINDS["", "Namespace"], selector="govhub.io/hub=mini,govhub.io/tenant")
    }
    assert namespaces == {f"{tenant}-{env}" for tenant in ("education", "civil-affairs") for env in ("prod", "test")}
    for namespace in [*namespaces, "svc-data-sharing"]:
        policies = list(kube.list(KINDS["networking.k8s.io", "NetworkPolicy"], namespace=namespace))
        denying = [
            item["metadata"]["name"]
            for item in policies
            if not item["spec"].get("podSelector")
            and set(item["spec"]["policyTypes"]) == {"Ingress", "Egress"}
            and not item["spec"].get("ingress")
            and not item["spec"].get("egress")
        ]
        assert denying == ["default-deny"], namespace
        # And nothing beside it opens everything again.
        for item in policies:
            rules = [*item["spec"].get("ingress", []), *item["spec"].get("egress", [])]
            assert all(rule.get("from") or rule.get("to") for rule in rules), item["metadata"]["name"]


def may(kube: Kube, group: str, verb: str, resource: str, namespace: str) -> bool:
    api, _, name = resource.rpartition("/")
    attributes = {"namespace": namespace, "verb": verb, "group": api, "resource": name}
    spec = {"user": "somebody", "groups": [group, "system:authenticated"], "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = kube.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def test_viewers_look_and_do_not_touch(kube: Kube) -> None:
    viewer, admin = "mini:education:viewer", "mini:education:admin"
    assert may(kube, viewer, "list", "pods", "education-prod")
    assert may(kube, admin, "delete", "pods", "education-prod")
    for verb in ("delete", "create", "patch"):
        assert not may(kube, viewer, verb, "pods", "education-prod")
    assert not may(kube, viewer, "get", "secrets", "education-prod")


def test_developers_change_the_test_environment_but_not_production(kube: Kube) -> None:
    developer = "mini:education:developer"
    assert may(kube, developer, "patch", "apps/deployments", "education-test")
    assert may(kube, developer, "list", "apps/deployments", "education-prod")
    assert not may(kube, developer, "patch", "apps/deployments", "education-prod")
    assert not may(kube, developer, "get", "secrets", "education-prod")


def test_a_departments_groups_have_nothing_in_another_departments_namespaces(kube: Kube) -> None:
    for role in ("admin", "developer", "viewer"):
        group = f"mini:education:{role}"
        assert may(kube, group, "get", "pods", "education-prod")
        for namespace in ("civil-affairs-prod", "civil-affairs-test", "svc-data-sharing", "kube-system"):
            for resource in ("pods", "secrets", "configmaps", "apps/deployments", "networking.k8s.io/networkpolicies"):
                for verb in ("get", "list", "create", "delete"):
                    assert not may(kube, group, verb, resource, namespace), (group, verb, resource, namespace)


def test_no_departments_group_can_loosen_its_own_guards(kube: Kube) -> None:
    for verb in ("update", "patch", "delete"):
        for resource in ("resourcequotas", "limitranges", "namespaces"):
            assert not may(kube, "mini:education:admin", verb, resource, "education-prod"), (verb, resource)


class KnownSecrets:
    """Resolves every reference, so that rendered secrets have a value as on a real run."""

    def resolve(self, ref: SecretRef, address: str) -> Secret | None:
        return Secret("not-a-secret-at-all")

    def fingerprint(self, secret: Secret) -> str:
        return "0123456789abcdef"


@pytest.fixture(scope="module")
def schemas(hub: LabHub, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_schemas(hub.kube(), tmp_path_factory.mktemp("schemas"))


def plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def kubeconform(schemas: str, manifests: list[dict[str, Any]], folder: Path) -> tuple[int, dict[str, Any]]:
    file = folder / "manifests.yaml"
    file.write_text("\n---\n".join(json.dumps(plain(item)) for item in manifests), encoding="utf-8")
    tool = require(["kubeconform"], print)["kubeconform"]
    command = [str(tool), "-strict", "-summary", "-output", "json", "-schema-location", schemas, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, json.loads(done.stdout)


def graph_of(name: str) -> Graph:
    hub, _ = valid_hub(str(content("inventories", name)))
    return render(hub, KnownSecrets())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_manifests_of_a_shipped_hub_pass_kubeconform(schemas: str, name: str, tmp_path: Path) -> None:
    manifests = [item.manifest for item in graph_of(name)]
    code, report = kubeconform(schemas, manifests, tmp_path)
    bad = [item for item in report["resources"] if item["status"] != "statusValid"][:5]
    assert bad == []
    assert code == 0
    assert report["summary"]["valid"] == len(manifests) > 100
    assert report["summary"]["skipped"] == 0


def inject(body: dict[str, Any], fault: str) -> None:
    if fault == "unknown field":
        body["spec"]["replcas"] = 3
    elif fault == "unknown field deep inside":
        body["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    elif fault == "wrong type":
        body["spec"]["replicas"] = "three"
    elif fault == "missing field":
        del body["spec"]["selector"]


@pytest.mark.parametrize("fault", ["unknown field", "unknown field deep inside", "wrong type", "missing field"])
def test_kubeconform_finds_a_fault_in_one_manifest_among_good_ones(schemas: str, fault: str, tmp_path: Path) -> None:
    manifests = [copy.deepcopy(plain(item.manifest)) for item in graph_of("huating")]
    victim = next(item for item in manifests if item["kind"] == "Deployment")
    inject(victim, fault)
    code, report = kubeconform(schemas, manifests, tmp_path)
    bad = [item["name"] for item in report["resources"] if item["status"] != "statusValid"]
    assert (code, bad) == (1, [victim["metadata"]["name"]])
