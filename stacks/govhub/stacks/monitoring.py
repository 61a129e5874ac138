"""The monitoring stack: scrape configuration, rules and a dashboard as objects Prometheus and Grafana load."""

from __future__ import annotations

import json
from typing import Any

import yaml

from govhub.stacks.context import DOMAIN, Context, manifest
from govhub.stacks.graph import Component, Shard, Stack

NAMESPACE = "govhub-monitoring"


def render_monitoring(ctx: Context) -> None:
    """Emit the monitoring objects of every cluster."""
    source = ctx.hub.at("hub", "name")
    for cluster in ctx.hub.model.clusters:
        shard = ctx.shard(Stack.MONITORING, cluster.name)
        component = Component("Monitoring", cluster.name)
        namespace = manifest("v1", "Namespace", NAMESPACE)
        namespace["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "baseline"}
        namespace = ctx.emit(shard, component, namespace, source=source)
        for name, label, data in _files(ctx, shard):
            body = manifest("v1", "ConfigMap", name, NAMESPACE)
            body["metadata"]["labels"] = {f"{DOMAIN}/{label}": "true"}
            body["data"] = data
            ctx.emit(shard, component, body, source=source, after=(namespace,))


def _files(ctx: Context, shard: Shard) -> list[tuple[str, str, dict[str, str]]]:
    scrape = yaml.safe_dump(_scrape(ctx, shard), sort_keys=False)
    rules = yaml.safe_dump({"groups": [_rules()]}, sort_keys=False)
    dashboard = json.dumps(_dashboard(ctx), indent=1, sort_keys=True)
    return [
        ("prometheus-scrape", "scrape-config", {"scrape.yaml": scrape}),
        ("prometheus-rules-tenants", "rules", {"tenants.yaml": rules}),
        ("dashboard-tenants", "dashboard", {"tenants.json": dashboard}),
    ]


def _scrape(ctx: Context, shard: Shard) -> dict[str, Any]:
    external = {"hub": ctx.hub.model.hub.name, "cluster": shard.cluster}
    kube = {
        "job_name": "kube-state-metrics",
        "kubernetes_sd_configs": [{"role": "service", "namespaces": {"names": [NAMESPACE]}}],
        "relabel_configs": [
            {
                "source_labels": ["__meta_kubernetes_service_label_app_kubernetes_io_name"],
                "regex": "kube-state-metrics",
                "action": "keep",
            }
        ],
    }
    return {"global": {"scrape_interval": "30s", "external_labels": external}, "scrape_configs": [kube]}


def _rules() -> dict[str, Any]:
    used = 'kube_resourcequota{resourcequota="quota",type="used",resource=~"requests.cpu|requests.memory|pods"}'
    hard = 'kube_resourcequota{resourcequota="quota",type="hard",resource=~"requests.cpu|requests.memory|pods"}'
    ratio = f"max by (namespace, resource) ({used}) / max by (namespace, resource) ({hard} > 0)"
    return {
        "name": "govhub-tenants",
        "rules": [
            {"record": "namespace_resource:govhub_quota_used:ratio", "expr": ratio},
            {
                "alert": "TenantQuotaNearlyUsed",
                "expr": "namespace_resource:govhub_quota_used:ratio > 0.9",
                "for": "30m",
                "labels": {"severity": "warning"},
                "annotations": {
                    "summary": "{{ $labels.namespace }}: {{ $labels.resource }} {{ $value | humanizePercentage }} used",
                    "description": "New pods will be refused once the quota is used up.",
                    "runbook": "docs/runbooks/tenant-quota.md",
                },
            },
        ],
    }


def _dashboard(ctx: Context) -> dict[str, Any]:
    panel = {
        "type": "timeseries",
        "title": "Quota used per namespace",
        "description": "Requests against quota; 100 % means that new pods are refused.",
        "fieldConfig": {"defaults": {"unit": "percentunit", "min": 0, "max": 1}},
        "gridPos": {"h": 12, "w": 24, "x": 0, "y": 0},
        "targets": [
            {
                "expr": "namespace_resource:govhub_quota_used:ratio",
                "legendFormat": "{{namespace}} {{resource}}",
                "refId": "A",
            }
        ],
    }
    name = ctx.hub.model.hub.name
    title = f"{ctx.hub.model.hub.title.en}: tenants"
    return {"uid": f"govhub-{name}-tenants", "title": title, "schemaVersion": 39, "panels": [panel]}
