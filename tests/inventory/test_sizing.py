"""Sizing: quotas, requests and capacity in millicores, bytes, pods and cards."""

from __future__ import annotations

import pytest

from govhub.core.quantities import GIB
from govhub.inventory import sizing
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.root import Environment, HubFile, Overcommit
from govhub.inventory.model.tenancy import Resources, Workload
from govhub.inventory.sizing import Amount
from govhub.inventory.topology import PlacedHost
from inventory.hubs import BASE, HubFolder


@pytest.fixture
def model() -> HubFile:
    return HubFolder(BASE).hub().model


def host(name: str, rack: str, cores: int = 10, memory: int = 20, cards: int = 0) -> PlacedHost:
    return PlacedHost(
        name=name, rack=rack, role=HostRole.WORKER, cluster="main", pool="p", arch="amd64", millicores=cores * 1000,
        memory=memory * GIB, accelerator="", accelerators=cards, units=2, watts=1, kg=1, address="", lab=False, entry=0,
    )  # fmt: skip


def workload(**more: object) -> Workload:
    fields: dict[str, object] = {"name": "w", "image": "r.cn/a/b:1", "cpu": "500m", "memory": "1Gi", "replicas": 3}
    return Workload.model_validate(fields | more)


def test_amounts_add_subtract_and_multiply_in_every_dimension() -> None:
    one, two = Amount(1, 2, 3, 4), Amount(10, 20, 30, 40)

    assert one + two == Amount(11, 22, 33, 44)
    assert two - one == Amount(9, 18, 27, 36)
    assert one * 3 == Amount(3, 6, 9, 12)


@pytest.mark.parametrize("larger", [Amount(2, 1, 1, 1), Amount(1, 2, 1, 1), Amount(1, 1, 2, 1), Amount(1, 1, 1, 2)])
def test_an_amount_fits_only_if_every_dimension_does(larger: Amount) -> None:
    assert Amount(1, 1, 1, 1).fits_in(Amount(1, 1, 1, 1))
    assert not larger.fits_in(Amount(1, 1, 1, 1))
    assert len(larger.shortages(Amount(1, 1, 1, 1))) == 1


def test_shortages_name_the_unit() -> None:
    need, have = Amount(1500, 1536 * 1024**2, 2000, 3), Amount(1000, GIB, 1, 2)

    assert need.shortages(have) == ["1.5 of 1 cores", "1.5 of 1 GiB memory", "2,000 of 1 pods", "3 of 2 accelerators"]


def test_a_tenants_quota_is_its_class_with_its_overrides(model: HubFile) -> None:
    finance = model.tenants[0]

    assert sizing.quota_of(model, finance) == Amount(80_000, 256 * GIB, 200, 4)
    assert sizing.storage_quota(model, finance) == 2 * 1024 * GIB
    assert sizing.quota_of(model, model.services[0]) == Amount(8_000, 32 * GIB, 40, 0)


def test_an_override_of_zero_accelerators_is_an_override(model: HubFile) -> None:
    finance = model.tenants[0].model_copy(update={"overrides": Resources(accelerators=0, storage="1Gi")})

    assert sizing.quota_of(model, finance).accelerators == 0
    assert sizing.storage_quota(model, finance) == GIB


def test_an_unknown_quota_class_is_a_key_error_and_not_zero(model: HubFile) -> None:
    lost = model.tenants[0].model_copy(update={"quota": "gone"})

    with pytest.raises(KeyError, match="gone"):
        sizing.quota_of(model, lost)


def test_a_namespace_gets_its_share_exactly(model: HubFile) -> None:
    finance = model.tenants[0]

    amount = sizing.namespace_quota(model, finance, Environment(name="e", share=0.29))

    # 80,000 * 0.29 is 23,199.999... in floats; pods are rounded up, the rest down.
    assert amount == Amount(23_200, int(256 * GIB * 29 // 100), 58, 1)
    assert sizing.namespace_storage(model, finance, Environment(name="e", share=0.5)) == 1024 * GIB


def test_no_share_of_something_is_nothing(model: HubFile) -> None:
    sliver = Environment(name="e", share=1e-12)

    amount = sizing.namespace_quota(model, model.tenants[0], sliver)

    assert amount == Amount(1, 1, 1, 1)
    assert sizing.namespace_quota(model, model.tenants[1], sliver).accelerators == 0


def test_production_runs_all_replicas_and_other_environments_one() -> None:
    assert sizing.requests_of(workload(), production=True) == Amount(1500, 3 * GIB, 3)
    assert sizing.requests_of(workload(), production=False) == Amount(500, GIB, 1)


def test_a_cronjob_runs_one_pod_everywhere() -> None:
    job = workload(kind="cronjob", schedule="0 2 * * *", accelerators=2)

    assert sizing.requests_of(job, production=True) == Amount(500, GIB, 1, 2)


def test_a_stateful_set_needs_a_volume_per_pod() -> None:
    database = workload(kind="statefulset", storage="10Gi")

    assert sizing.storage_of(database, production=True) == 30 * GIB
    assert sizing.storage_of(workload(), production=True) == 0


def test_a_systems_requests_are_the_sum_of_its_workloads(model: HubFile) -> None:
    tax, (production, trial) = model.systems[0], model.hub.environments

    assert sizing.system_requests(tax, production) == Amount(20_500, 65 * GIB, 8, 1)
    assert sizing.system_requests(tax, trial) == Amount(10_500, 37 * GIB, 4, 1)
    assert sizing.system_storage(tax, production) == 400 * GIB
    assert sizing.system_requests(model.services[0]) == Amount(2_000, 4 * GIB, 2, 0)


def test_capacity_counts_110_pods_a_node() -> None:
    assert sizing.capacity_of([host("a", "r1"), host("b", "r2", cards=2)]) == Amount(20_000, 40 * GIB, 220, 2)


def test_the_largest_rack_depends_on_what_is_counted() -> None:
    hosts = [host("a", "r1", cores=30), host("b", "r2", memory=15), host("c", "r2", memory=15), host("d", "r3")]

    assert sizing.largest_rack(hosts) == ("r1", Amount(30_000, 20 * GIB, 110))
    assert sizing.largest_rack(hosts, "memory") == ("r2", Amount(20_000, 30 * GIB, 220))
    assert sizing.capacity_by_rack(hosts)["r3"] == Amount(10_000, 20 * GIB, 110)


def test_of_equal_racks_the_same_one_is_named_every_day() -> None:
    hosts = [host("a", "r2"), host("b", "r1"), host("c", "r3")]

    assert sizing.largest_rack(hosts) == sizing.largest_rack(hosts[::-1]) == ("r1", Amount(10_000, 20 * GIB, 110))


def test_no_hosts_have_no_largest_rack() -> None:
    assert sizing.largest_rack([]) is None


def test_overcommitment_is_for_cpu_and_memory_only() -> None:
    capacity = Amount(1001, 1001, 110, 4)

    assert sizing.overcommitted(capacity, Overcommit(cpu=1.5, memory=1.1)) == Amount(1501, 1101, 110, 4)
