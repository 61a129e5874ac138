"""How things stand, for people: hub, lab, tools, state."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import heading, line, more, row, safe, seconds, table

Document = dict[str, Any]
FEW = 10


def show_status(console: Console, document: Document, program: str) -> None:
    """A hub: clusters, what is recorded, what is unfinished, who works on it, readiness."""
    hub = document["hub"]
    line(console, hub, style="bold")
    out = table(tr("Cluster"), tr("answers"), tr("nodes ready"), "UID", tr("problem"))
    for item in document["clusters"]:
        nodes = item["nodes"]
        ready = f"{nodes['ready']:,} / {nodes['total']:,}" if nodes else tr("unknown")
        problem = item["problem"]["summary"] if item["problem"] else ""
        row(out, item["name"], tr("yes") if item["reachable"] else tr("no"), ready, item["uid"] or "", problem)
    console.print(out)
    _hosts_layer(console, document["hosts"], f"{program} up {hub} --layer hosts")
    objects = sum(item["objects"] for item in document["shards"])
    recorded = trn("{count} object in the state", "{count} objects in the state", objects)
    line(console, f"\n{recorded}, {tr('shards')} {len(document['shards']):,}, {document['state']}")
    _last_run(console, document["last_run"])
    _lock(console, document["lock"])
    _readiness(console, document["readiness"])
    for item in document["unfinished"]:
        line(console, f"{tr('unfinished')}: {item['shard']} ({item['run']}, {item['time']})", style="yellow")
    if document["unfinished"]:
        # The ledger of intents makes this safe at any moment.
        line(console, f"{tr('To go on from here')}: {program} up {hub}")


def show_lab(console: Console, document: Document, program: str) -> None:
    """The lab's clusters."""
    out = table(tr("Cluster"), tr("state"), tr("nodes"), tr("processes"), tr("time"), "kubeconfig", numbers=(2, 3, 4))
    for item in document["clusters"]:
        time = seconds(item["seconds"]) if "seconds" in item else ""
        nodes = tr("unknown") if item["nodes"] is None else f"{item['nodes']:,}"
        words = {
            "running": tr("running"),
            "stopped": tr("stopped"),
            "incomplete": tr("incomplete"),
            "absent": tr("absent"),
        }
        state = words.get(item["state"], item["state"])
        row(out, item["name"], state, nodes, len(item["pids"]), time, item["kubeconfig"] or "")
    console.print(out)
    if document.get("hosts"):
        _lab_hosts(console, document["hosts"])
    if document.get("meters"):
        _lab_meters(console, document["meters"])
    running = all(item["state"] == "running" for item in document["clusters"])
    line(console, f"\n{tr('Next')}: {program} {'up' if running else 'lab up'} {document['hub']}")


def _lab_meters(console: Console, meters: Document) -> None:
    if meters["state"] == "absent":
        line(console, f"\n{tr('Metering is off')}", style="yellow")
        return
    out = table(tr("Meters"), tr("state"), tr("process"), tr("address"), numbers=(2,))
    for item in meters["processes"]:
        row(out, item["name"], tr("running") if item["alive"] else tr("ended"), item["pid"], item["address"])
    line(console)
    console.print(out)
    agents, seconds_ = trn("{count} SNMP agent", "{count} SNMP agents", meters["agents"]), meters["interval_seconds"]
    line(console, f"{agents}, {tr('seconds between readings')}: {seconds_}")


def _lab_hosts(console: Console, hosts: list[Document]) -> None:
    out = table(tr("Host"), tr("state"), tr("address"), tr("memory"), tr("time"), numbers=(3, 4))
    words = {"running": tr("running"), "booting": tr("booting"), "off": tr("off")}
    for item in hosts:
        memory = tr("unknown") if item["memory"] is None else f"{item['memory'] / 2**20:.1f} MiB"
        time = seconds(item["seconds"]) if item.get("seconds") else ""
        row(out, item["name"], words.get(item["state"], item["state"]), item["address"], memory, time)
    line(console)
    console.print(out)


def show_hosts(console: Console, document: Document, program: str) -> None:
    """Every host, and what a run would do with it."""
    out = table(tr("Host"), tr("rack"), tr("role"), tr("Cluster"), tr("address"), tr("state"), tr("last run"))
    words = {
        "new": tr("new"),
        "changed": tr("changed"),
        "drifted": tr("drifted"),
        "as declared": tr("as declared"),
        "no address": tr("no address"),
    }
    for item in document["hosts"]:
        cells = (item["name"], item["rack"], item["role"], item["cluster"] or "", item["address"] or "")
        row(out, *cells, words[item["state"]], item["last_run"] or "")
    console.print(out)
    if any(item["state"] in ("new", "changed", "drifted") for item in document["hosts"]):
        line(console, f"\n{tr('Next')}: {program} up {document['hub']} --layer hosts")


def show_doctor(console: Console, document: Document, program: str) -> None:
    """Tools and environment, and what to do about what is missing."""
    out = table(tr("Tool"), tr("version"), tr("for"), tr("origin"), tr("path"))
    for item in document["tools"]:
        path = item["path"] or tr("missing")
        row(out, item["name"], item["version"], item["need"], item["origin"], path, style="" if item["path"] else "red")
    console.print(out)
    line(console)
    settings = table(tr("Environment"), tr("value"), tr("verdict"))
    for item in document["environment"]:
        row(settings, item["name"], item["value"], tr("good") if item["ok"] else tr("not good"))
    console.print(settings)
    for item in [*document["tools"], *document["environment"]]:
        if item["hint"]:
            line(console, f"{item['name']}: {item['hint']}")
    if document["ok"]:
        line(console, tr("Everything that is needed is there."), style="bold green")
    else:
        line(console, f"{tr('Something is missing. To build the tools')}: {program} doctor --build", style="bold red")


def show_state(console: Console, document: Document) -> None:
    """The shards in a hub's state."""
    line(console, f"{document['hub']}: {document['address']}", style="bold")
    out = table(tr("Shard"), tr("objects"), tr("serial"), numbers=(1, 2))
    for item in document["shards"]:
        row(out, item["shard"], f"{item['objects']:,}", item["serial"])
    console.print(out)
    for cluster, uid in document["pins"].items():
        line(console, f"{tr('bound to cluster')} {cluster} ({uid})")


def show_moved(console: Console, document: Document) -> None:
    """A move of the state."""
    count = trn("{count} document moved", "{count} documents moved", document["documents"])
    line(console, f"{document['hub']}: {count}: {document['from']} → {document['to']}")
    line(console, f"{tr('Next')}: {document['next']}")


def show_forgotten(console: Console, document: Document) -> None:
    """A cluster that was let go of."""
    count = trn("{count} document put aside", "{count} documents put aside", document["documents"])
    line(console, f"{document['hub']}: {document['cluster']}: {count}")


def _last_run(console: Console, last: Document | None) -> None:
    if last is None:
        line(console, tr("no run yet"))
        return
    # An older version may have written less; a status must not fail over that.
    parts = [f"{tr('last run')} {last.get('run', '?')}: {last.get('status', '?')}", str(last.get("time", ""))]
    if isinstance(last.get("seconds"), int | float):
        parts.append(seconds(last["seconds"]))
    line(console, ", ".join(part for part in parts if part))


def _hosts_layer(console: Console, hosts: Document, mend: str) -> None:
    """One line of figures; hosts without an address are none of a run's business, so they come last."""
    words = {
        "as_declared": tr("as declared"),
        "changed": tr("waiting for a change"),
        "drifted": tr("drifted"),
        "new": tr("never run"),
        "no_address": tr("no address"),
    }
    parts = [f"{hosts['declared']:,} {tr('declared')}"]
    parts += [f"{hosts[key]:,} {word}" for key, word in words.items() if hosts[key]]
    line(console, f"\n{tr('Hosts')}: {', '.join(parts)}")
    if hosts["changed"] or hosts["drifted"] or hosts["new"]:
        line(console, f"{tr('Next')}: {mend}")


def _lock(console: Console, lock: Document | None) -> None:
    if lock:
        who = f"{lock.get('actor', '?')}@{lock.get('host', '?')}"
        what = f"{lock.get('operation', '?')} {lock.get('run', '')}"
        line(console, f"{tr('locked by')} {who}: {what} ({tr('until')} {lock.get('until', '?')})", style="yellow")


def _readiness(console: Console, ready: Document | None) -> None:
    if ready is None:
        line(console, f"{tr('Workloads ready')}: {tr('unknown')}")
        return
    line(console, f"{tr('Workloads ready')}: {ready['ready']:,} / {ready['total']:,}")
    if ready["waiting"]:
        heading(console, tr("Waiting"))
    for item in ready["waiting"][:FEW]:
        line(console, f"  {safe(item['address'])}: {safe(item['why'])}")
    more(console, len(ready["waiting"]) - FEW, "  ")
