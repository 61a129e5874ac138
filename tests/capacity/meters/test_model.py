"""From declared machines and requests to watts, and from a hub to its meters."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from govhub.inventory.loader import Hub, load
from govhub.inventory.ports import ports_of
from govhub.lab.meters import center, processes, scraping
from govhub.lab.meters import load as model
from govhub.lab.meters.load import BUSY, IDLE, NOISE, SWING, Machine
from govhub.lab.meters.model import World
from govhub.lab.meters.plan import Plan, plan_of

NOON = 1_700_000_000.0
SERVER = Machine("node1", "s/h/r/01", 1000.0, 2, 32_000)
SHIPPED = Path(__file__).parents[3] / "inventories"


def test_an_idle_server_draws_its_idle_share_and_a_full_one_all() -> None:
    assert model.drawn(SERVER, 0, NOON, "x") == pytest.approx(1000 * IDLE, rel=NOISE)
    # Requests of twice its cores keep all of them busy.
    assert model.drawn(SERVER, 64_000, NOON, "x") == pytest.approx(1000, rel=NOISE)
    half = IDLE + (1 - IDLE) * 0.5 * model.busy(NOON)
    assert model.drawn(SERVER, 16_000, NOON, "x") == pytest.approx(1000 * half, rel=NOISE)


@given(st.floats(0, 64_000), st.floats(0, 64_000), st.floats(0, 4e9))
def test_more_requests_never_draw_less(one: float, other: float, at: float) -> None:
    few, many = sorted((one, other))
    assert model.drawn(SERVER, few, at, "x") <= model.drawn(SERVER, many, at, "x")


@given(st.floats(0, 4e9), st.text(max_size=8))
def test_noise_is_small_and_the_day_swings_around_its_mean(at: float, name: str) -> None:
    assert abs(model.noise("x", name, at) - 1) <= NOISE + 1e-9
    assert abs(model.busy(at) - BUSY) <= BUSY * SWING + 1e-9
    assert model.noise("x", name, at) == model.noise("x", name, at)


def test_the_afternoon_is_busier_than_the_night() -> None:
    midnight_of_china = 16 * 3600
    assert model.busy(midnight_of_china + 15 * 3600) == pytest.approx(BUSY * (1 + SWING))
    assert model.busy(midnight_of_china + 3 * 3600) == pytest.approx(BUSY * (1 - SWING))


def test_supplies_share_and_single_cords_hang_on_side_a() -> None:
    both = frozenset("ab")
    assert sum(model.sides(SERVER, 400, both).values()) == pytest.approx(400)
    assert model.sides(SERVER, 400, both)["a"] == pytest.approx(200, rel=0.03)
    single = Machine("old", "s/h/r/01", 100.0, 1)
    assert model.sides(single, 80, both) == {"a": 80}
    assert model.sides(SERVER, 80, frozenset("b")) == {"b": 80}
    assert model.sides(SERVER, 80, frozenset()) == {}


def test_every_feed_row_hall_and_switch_has_its_meter(city: Hub) -> None:
    plan = plan_of(city, {})

    assert [(agent.kind, agent.place) for agent in plan.agents] == [
        ("row", "jz/h1/r1"),
        ("row", "jz/h1/r2"),
        ("hall", "jz/h1"),
        *(("switch", f"jz/{name}") for name in ("leaf-1", "leaf-2", "spine-1", "spine-2")),
    ]
    assert sum(len(agent.feeds) for agent in plan.agents) == 16
    assert len({agent.address for agent in plan.agents}) == 7
    assert all(agent.address.startswith("127.") for agent in plan.agents)
    assert Plan.from_json(plan.to_json()) == plan


def test_yichang_meters_all_its_feeds() -> None:
    hub = load(SHIPPED / "yichang").hub
    assert hub is not None
    plan = plan_of(hub, {})

    assert sum(len(agent.feeds) for agent in plan.agents) == 21_600
    assert [agent.kind for agent in plan.agents].count("row") == 300
    # The phases of a row rotate, so that each carries a third.
    phases = [feed.phases[0] for feed in plan.agents[0].feeds if feed.side == "a"]
    assert [phases.count(phase) for phase in (1, 2, 3)] == [12, 12, 12]


def test_links_take_ports_of_their_speed_in_order(city: Hub) -> None:
    ports = ports_of(city)
    ups = [port for port in ports["leaf-1"] if port.link]

    assert [(port.name, port.peer) for port in ups] == [
        *((f"p{place}", "spine-1") for place in (49, 50, 51)),
        *((f"p{place}", "spine-2") for place in (52, 53, 54)),
    ]
    assert all(port.gbps == 100 for port in ups)
    assert [port.peer for port in ports["spine-2"][:7]] == ["leaf-1"] * 3 + ["leaf-2"] * 3 + [""]
    assert ports["spine-2"][6].link == ""


def test_a_world_adds_up(city: Hub) -> None:
    world = World(plan_of(city, {}))
    world.tick(NOON)
    world.tick(NOON + 10)
    racks = {key: watts for key, watts in world.watts.items() if key[1] in "ab"}

    assert world.watts["jz/h1", "it"] == pytest.approx(sum(racks.values()))
    parts = [world.watts["jz/h1", name] for name in ("it", "cooling", "ups_loss", "lighting")]
    assert world.watts["jz/h1", "total"] == pytest.approx(sum(parts))
    for key, watts in racks.items():
        assert world.joules[key] == pytest.approx(watts * 10)
    # What one end sends the other one receives.
    assert world.octets["leaf-1", "p49 out"] == world.octets["spine-1", "p1 in"] > 0
    assert world.octets["leaf-1", "p1 out"] == 0
    node = next(machine for machine in world.plan.machines if machine.millicores)
    world.run("main", {("finance", "web"): (node.name, 3000), ("finance", "db"): (node.name, 1000)})
    before = world.watts
    world.tick(NOON + 10)
    more = {key for key, watts in world.watts.items() if watts > before[key] + 1}
    assert {key[0].count("/") for key in more} == {1, 3}
    world.tick(NOON + 20)
    used = world.seconds["main", "finance", "web"]
    assert used == pytest.approx(3.0 * model.busy(NOON + 20) * 10, rel=NOISE)
    assert used == pytest.approx(3 * world.seconds["main", "finance", "db"], rel=3 * NOISE)
    world.run("main", {})
    assert world.requested[node.name] == 0
    assert not any(world.seconds.values())


def test_polling_is_slower_with_more_agents() -> None:
    assert [center.interval_for(agents) for agents in (3, 93, 94, 310, 2300, 9000)] == [15, 15, 30, 60, 120, 120]


def test_the_configurations_are_what_the_real_programs_take(city: Hub, tmp_path: Path) -> None:
    exporter, promtool = processes.program("prometheus-snmp-exporter"), processes.program("promtool")
    if exporter is None or promtool is None:
        pytest.skip("not installed: prometheus-snmp-exporter, prometheus")
    (tmp_path / "snmp.yml").write_text(scraping.snmp_config("x y: '\"", 5))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "meters.yml").write_text(scraping.RULES)
    text = scraping.prometheus_config(
        "127.0.0.1:1", 60, hub="x", kubelets="127.0.0.1:4", serve="http://127.0.0.1:2/", alertmanager="127.0.0.1:3"
    )
    (tmp_path / "prometheus.yml").write_text(text)
    for kind, content in scraping.targets(plan_of(city, {}).agents, "testcity", 161).items():
        (tmp_path / f"targets-{kind}.json").write_text(content)

    assert processes.checked([exporter, "--config.file=snmp.yml", "--dry-run"], tmp_path) == ""
    assert processes.checked([promtool, "check", "config", "prometheus.yml"], tmp_path) == ""
    assert "community" not in text
    assert yaml.safe_load(text)["scrape_configs"][-1]["http_sd_configs"][0]["url"] == "http://127.0.0.1:2/sd"
    (tmp_path / "snmp.yml").write_text("nonsense: [")
    assert processes.checked([exporter, "--config.file=snmp.yml", "--dry-run"], tmp_path) != ""


def test_a_port_that_somebody_took_is_not_the_end(monkeypatch: pytest.MonkeyPatch, city: Hub, tmp_path: Path) -> None:
    if center.missing():
        pytest.skip(f"not installed: {', '.join(center.missing())}")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.1.0.3", 0))
        taken = other.getsockname()[1]
        ports = iter([taken, processes.free_datagram_port("127.1.0.1")])
        monkeypatch.setattr(processes, "free_datagram_port", lambda host: next(ports))
        meters = center.Meters(city.name)
        try:
            state = meters.up(plan_of(city, {}), interval=15)
            assert state.port != taken
            assert meters.dead() == []
        finally:
            meters.down()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, city: Hub, tmp_path: Path) -> None:
    from govhub.core.errors import ToolMissing
    from govhub.ops.labmeters import start_meters

    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "program", lambda name: None if "snmp" in name else shutil.which(name))
    told: list[str] = []
    document = start_meters(city, told.append, wanted=False)
    assert document["missing"] == ["prometheus-snmp-exporter"]
    assert told[0].startswith("metering is off: ")
    assert "apt-get install prometheus-snmp-exporter" in told[0]
    with pytest.raises(ToolMissing, match="prometheus-snmp-exporter"):
        start_meters(city, told.append, wanted=True)
    assert not any(tmp_path.iterdir())
