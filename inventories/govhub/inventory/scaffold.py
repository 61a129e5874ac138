"""The first files of a new hub: small, valid, and with a comment wherever one has to decide something."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from govhub.core.errors import InvalidInput
from govhub.core.files import write_atomic
from govhub.inventory.model.common import Name

PUBLIC_FILE = 0o644
MAX_TITLES = {"zh": 80, "en": 120}

HUB = """\
# Who this hub is. Every file of this folder may hold any section; the split into files is for people only.
# Check it with: govhub validate @NAME@
hub:
  name: @NAME@
  title: {zh: @TITLE_ZH@, en: @TITLE_EN@}
  # The region this hub belongs to; declared in sites.yaml.
  region: city
  # Only images with one of these prefixes may run.
  registries: [registry.@NAME@.gov.internal/]
  # Each department gets a namespace per environment; the shares of its quota make 1.
  environments:
    - {name: prod, share: 0.75, production: true}
    - {name: test, share: 0.25}
"""

SITES = """\
# Where things stand: the administrative region, and the machine room with its racks.
regions:
  # Add `code`, the six digits of GB/T 2260, and the counties with `parent: city`.
  - {name: city, title: {zh: 本市, en: The city}, level: city}

sites:
  - name: site-a
    title: {zh: 政务数据中心, en: Government data center}
    region: city
    # Uptime tier (T1 to T4) or grade of GB 50174 (A, B, C).
    tier: B
    halls:
      - name: h1
        rows:
          # Patterns stand for many names: r01 and r02, each with racks 01 to 04.
          - names: r{01..02}
            racks: "{01..04}"
            rack: {units: 42, rated_kw: 5, max_kg: 1000}
    # Mark figures that are not published, with one line of reasoning.
    assumed: true
    reason: a start; replace it by the real rooms and ratings
"""

NETWORK = """\
# Zones are separated; only flows that systems and services declare cross them. Each zone needs a prefix.
zones:
  - {name: extranet, title: {zh: 电子政务外网, en: E-government extranet}, kind: government-extranet}
  - {name: management, title: {zh: 运维管理区, en: Management zone}, kind: management}

prefixes:
  - {cidr: 10.20.0.0/24, zone: extranet, purpose: nodes, site: site-a, cluster: main}
  - {cidr: 10.20.16.0/20, zone: extranet, purpose: pods, cluster: main}
  - {cidr: 10.20.32.0/22, zone: extranet, purpose: services, cluster: main}
  - {cidr: 10.20.64.0/18, zone: extranet, purpose: departments, region: city}
  - {cidr: 10.20.12.0/24, zone: management, purpose: out-of-band, site: site-a}
"""

CLUSTERS = """\
# The Kubernetes cluster and its hosts. Without `kubeconfig` the lab's cluster of this name is used.
clusters:
  - name: main
    site: site-a
    zone: extranet
    pools:
      - {name: general, arch: amd64}
    # kubeconfig: {path: ~/.kube/@NAME@}

hosts:
  # Six nodes, each in a rack of its own: the quotas must still fit when one rack is lost.
  - {names: "node{1..4}", racks: "site-a/h1/r01/{01..04}", cluster: main, pool: general, arch: amd64,
     cores: 16, memory: 64Gi}
  - {names: "node{5..6}", racks: "site-a/h1/r02/{01..02}", cluster: main, pool: general, arch: amd64,
     cores: 16, memory: 64Gi}
"""

PLATFORM = """\
# Sizes of quota (the sum over a department's environments), and the services that systems reach by name.
quota_classes:
  - {name: small, title: {zh: 小型, en: Small}, cpu: 4, memory: 8Gi, storage: 200Gi, pods: 20}
  - {name: medium, title: {zh: 中型, en: Medium}, cpu: 8, memory: 16Gi, storage: 500Gi, pods: 40}

services:
  - name: data-sharing
    title: {zh: 数据共享交换平台, en: Data sharing and exchange}
    owner: 大数据中心
    tier: 1
    quota: medium
    workloads:
      - {name: api, image: registry.@NAME@.gov.internal/platform/data-sharing:1.0.0, replicas: 3,
         cpu: 500m, memory: 1Gi, port: 8443}
    flows:
      - {from: zone/extranet, port: 8443}
"""

TENANTS = """\
# The departments. Many of them are quicker to import from a table: name, title_zh, title_en, quota.
tenants:
  - name: education
    title: {zh: 教育局, en: Education Bureau}
    quota: small
  - name: civil-affairs
    title: {zh: 民政局, en: Civil Affairs Bureau}
    quota: small
"""

SYSTEMS = """\
# The departments' business systems. `tier` is how much an outage hurts (1 most), `protection_level` that of GB/T 22239.
systems:
  - name: school-enrolment
    title: {zh: 义务教育入学报名, en: School enrolment}
    tenant: education
    owner: 基础教育科
    tier: 2
    protection_level: 2
    environments: [prod, test]
    workloads:
      - {name: web, image: registry.@NAME@.gov.internal/education/school-enrolment:1.0.0,
         cpu: 250m, memory: 512Mi, port: 8080}
    # Everything is denied that is not declared here.
    flows:
      - {from: zone/extranet, port: 8080}
      - {to: service/data-sharing, port: 8443}

  - name: social-aid
    title: {zh: 社会救助管理, en: Social assistance}
    tenant: civil-affairs
    owner: 社会救助科
    tier: 2
    protection_level: 2
    workloads:
      - {name: web, image: registry.@NAME@.gov.internal/civil-affairs/social-aid:1.0.0,
         cpu: 250m, memory: 512Mi, port: 8080}
    flows:
      - {from: zone/extranet, port: 8080}
"""

FILES = {
    "hub.yaml": HUB,
    "sites.yaml": SITES,
    "network.yaml": NETWORK,
    "clusters.yaml": CLUSTERS,
    "platform.yaml": PLATFORM,
    "tenants.yaml": TENANTS,
    "systems.yaml": SYSTEMS,
}
_PLACE = re.compile(r"@([A-Z_]+)@")


def init_hub(folder: Path, name: str, *, title_zh: str = "", title_en: str = "") -> list[Path]:
    """Write a small hub that validates into ``folder``, which is created; the files written, in reading order.

    Titles that are not given are made of ``name``.

    Raises:
        InvalidInput: the name (INI001) or a title (INI002) is not usable, the folder holds something
            (INI003), or it cannot be written (INI004); nothing is left behind.
    """
    _check_name(name)
    titles = {"zh": title_zh or f"{name} 政务云", "en": title_en or f"{name} government cloud"}
    for language, title in titles.items():
        _check_title(language, title)
    _check_empty(folder)
    values = {"NAME": name, "TITLE_ZH": json.dumps(titles["zh"], ensure_ascii=False)}
    values["TITLE_EN"] = json.dumps(titles["en"], ensure_ascii=False)
    return _write(folder, {file: _filled(text, values) for file, text in FILES.items()})


def _check_name(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InvalidInput.one(
            "INI001",
            f'"{name[:60]}" cannot be the name of a hub',
            hint="use lower-case letters, digits and hyphens, at most 40, such as jinzhou (RFC 1123)",
        ) from error


def _check_title(language: str, title: str) -> None:
    limit = MAX_TITLES[language]
    if len(title) > limit or not title.isprintable() or not title.strip():
        summary = f"the title in {'Chinese' if language == 'zh' else 'English'} is not usable"
        raise InvalidInput.one("INI002", summary, hint=f"one line of at most {limit} visible characters")


def _check_empty(folder: Path) -> None:
    try:
        # What starts with a dot (.git, .gitkeep) is never read as part of a hub.
        held = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")] if folder.exists() else []
    except NotADirectoryError as error:
        hint = "give another path, or move the file away"
        raise InvalidInput.one("INI003", f"{folder} is not a folder", hint=hint) from error
    except OSError as error:
        raise InvalidInput.one("INI004", f"cannot read {folder}: {error.strerror}", hint="give another path") from error
    if held:
        raise InvalidInput.one(
            "INI003",
            f"{folder} is not empty",
            detail=f"it holds {min(held)}" + (f" and {len(held) - 1} more" if held[1:] else ""),
            hint="give a folder that does not exist yet, or empty this one; nothing is overwritten",
        )


def _filled(text: str, values: dict[str, str]) -> str:
    # In one pass: a title may itself look like a place to be filled.
    return _PLACE.sub(lambda match: values[match[1]], text)


def _write(folder: Path, contents: dict[str, str]) -> list[Path]:
    existed = folder.exists()
    written: list[Path] = []
    try:
        for file, text in contents.items():
            write_atomic(folder / file, text, mode=PUBLIC_FILE)
            written.append(folder / file)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        if not existed and folder.is_dir():
            folder.rmdir()
        hint = "check the permissions and the free space, or give another path"
        raise InvalidInput.one("INI004", f"cannot write {folder}: {error.strerror}", hint=hint) from error
    return written
