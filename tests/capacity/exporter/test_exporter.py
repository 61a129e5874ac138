"""Pages are made once, off the event loop; who cannot wait gets the last one, with its time; what fails is told."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from capacity.exporter.serving import two_sites
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.exporter import Exporter, NotYet, State
from govhub.monitoring.metrics.exposition import EVERYTHING, HUB
from govhub.monitoring.metrics.wholes import Extras

TODAY = date(2026, 1, 15)


@dataclass
class Shown:
    """A source that says what it is told, as slowly as it is told."""

    said: State
    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    broken: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def state(self) -> State:
        self.asked += 1
        assert self.gate.wait(30)
        if self.broken:
            raise RuntimeError("nobody thought of that")
        return self.said


@pytest.fixture(scope="module")
def halls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halls]:
    folder = tmp_path_factory.mktemp("hub")
    yield Halls(Columns(two_sites(folder).hub()))
    shutil.rmtree(folder)


@pytest.fixture
def source(halls: Halls) -> Shown:
    return Shown(State(halls, Extras(today=TODAY), loaded=1000.0))


def run(exporter: Exporter, story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    try:
        asyncio.run(whole())
    finally:
        exporter.close()


def test_a_page_is_made_once_and_the_source_is_asked_once_a_while(source: Shown) -> None:
    exporter = Exporter(source, every=60)

    async def story() -> None:
        many = await asyncio.gather(*(exporter.page(HUB, 30, packed=True) for _ in range(50)))
        assert len({id(made) for made in many}) == 1
        assert many[0].page.compressed
        assert await exporter.page(HUB, 30, packed=False) is many[0]
        assert source.asked == 1

    run(exporter, story)


def test_who_cannot_wait_gets_the_last_page_with_its_time_and_the_next_one_the_new_page(
    source: Shown, halls: Halls
) -> None:
    clock = iter([5.0, 6.0, 7.0])
    exporter = Exporter(source, every=0, clock=lambda: next(clock))

    async def story() -> None:
        first = await exporter.page(EVERYTHING, 30, packed=True)
        assert b"govhub_exporter_rendered_timestamp_seconds 5.0\n" in exporter.tail(EVERYTHING, first)
        source.said = replace(source.said, halls=Halls(Columns(halls.columns.hub)), loaded=2000.0)
        source.gate.clear()
        late = await exporter.page(EVERYTHING, 0.05, packed=True)
        assert late is first
        tail = exporter.tail(EVERYTHING, late)
        assert b"govhub_exporter_rendered_timestamp_seconds 5.0\n" in tail
        assert b"govhub_exporter_hub_loaded_timestamp_seconds 1000.0\n" in tail
        source.gate.set()
        new = await exporter.page(EVERYTHING, 30, packed=True)
        tail = exporter.tail(EVERYTHING, new)
        assert b"govhub_exporter_rendered_timestamp_seconds 6.0\n" in tail
        assert b"govhub_exporter_hub_loaded_timestamp_seconds 2000.0\n" in tail

    run(exporter, story)


def test_without_a_page_before_it_says_so(source: Shown) -> None:
    exporter = Exporter(source)
    source.gate.clear()

    async def story() -> None:
        with pytest.raises(NotYet):
            await exporter.page(HUB, 0.05, packed=True)
        with pytest.raises(NotYet):
            await exporter.current(0.05)
        source.gate.set()
        # What was begun for those who left is there for those who come.
        assert (await exporter.page(HUB, 30, packed=True)).page.samples > 0
        assert source.asked == 1

    run(exporter, story)


def test_the_event_loop_goes_on_while_a_page_is_made(source: Shown) -> None:
    exporter = Exporter(source)
    source.gate.clear()

    async def story() -> None:
        page = asyncio.create_task(exporter.page(HUB, 30, packed=True))
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not page.done()
        source.gate.set()
        await page

    run(exporter, story)


def test_a_source_that_fails_leaves_the_last_state_and_says_that_it_is_not_valid(
    source: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = Exporter(source, every=0)

    async def story() -> None:
        first = await exporter.page(HUB, 30, packed=False)
        assert b"govhub_exporter_hub_valid 1.0\n" in exporter.tail(HUB, first)
        source.broken = True
        again = await exporter.page(HUB, 30, packed=False)
        assert again is first
        assert b"govhub_exporter_hub_valid 0.0\n" in exporter.tail(HUB, again)
        assert "nobody thought of that" in caplog.text
        source.broken = False
        assert (await exporter.current(30)).valid
        assert b"govhub_exporter_hub_valid 1.0\n" in exporter.tail(HUB, first)

    run(exporter, story)


def test_a_source_that_never_worked_is_an_error(source: Shown) -> None:
    exporter = Exporter(source)
    source.broken = True

    async def story() -> None:
        with pytest.raises(RuntimeError, match="nobody thought"):
            await exporter.page(HUB, 30, packed=False)

    run(exporter, story)


@pytest.mark.parametrize("name", ["x", "jz", "jz/h9", "jz/h1/r1", "../etc", "hub/"])
def test_other_pages_do_not_exist(source: Shown, name: str) -> None:
    exporter = Exporter(source)

    async def story() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await exporter.page(name, 30, packed=True)

    run(exporter, story)


def test_a_page_made_for_plain_clients_is_compressed_for_the_first_that_takes_it(source: Shown) -> None:
    exporter = Exporter(source, every=60)

    async def story() -> None:
        plain = await exporter.page(HUB, 30, packed=False)
        assert not plain.page.compressed
        packed = await exporter.page(HUB, 30, packed=True)
        assert packed is plain
        assert packed.page.compressed
        assert source.asked == 1

    run(exporter, story)
