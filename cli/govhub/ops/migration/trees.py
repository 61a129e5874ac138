"""The file trees of moves between hosts: where both folders are, and how they are reached."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from govhub.hosts.reach import Reach, Reaches
from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move
from govhub.migration.itinerary.folders import FolderMove
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.late import LateRunner
from govhub.migration.movers.runner import HERE as RUNS_HERE
from govhub.migration.movers.runner import LocalRunner
from govhub.migration.moving.part import short_name
from govhub.migration.moving.tree import Tree
from govhub.migration.moving.trees import TreeSteps
from govhub.ops.migration.limiting import limits_of
from govhub.ops.migration.places import Place as MoverSpot
from govhub.ops.migration.refusing import HERE, refused
from govhub.ops.migration.servers import archives_of


def is_folder(hub: Hub, move: Move) -> bool:
    """Whether a tree moves within this machine."""
    sources = {item.name: item for item in hub.model.sources}
    return sources[move.source].address in HERE and move.to is None


def folder_of(move: Move) -> FolderMove:
    """A tree that moves within this machine."""
    assert move.path is not None
    return FolderMove(move.name, Path(move.path), Path(move.to_path or f"{move.path}.moved"))


def tree_steps(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> TreeSteps:
    """The steps for a tree that moves to a host of the hub; nothing is contacted yet.

    Raises:
        GovhubError: a host cannot be reached as the files are (RUN016).
    """
    assert move.path is not None
    source = reached.sources.get(move.source)
    target = reached.hosts.get(move.to or "")
    if source is None:
        raise refused(migration, move, f"give {move.source} an address at which SSH answers")
    if move.to is None or target is None:
        hint = "name a host of the hub that can be reached in `to`"
        raise refused(migration, move, hint)
    ends = [_End(move.source, source, move.path), _End(move.to, target, move.to_path or move.path, ours=True)]
    archives = archives_of(hub.name, migration.system)
    runner = _runner(hub, reached, migration, move, archives)

    def places() -> tuple[Place, Place]:
        first, second = (end.place() if runner.where == RUNS_HERE else end.seen_from_elsewhere() for end in ends)
        return first, second

    def close() -> None:
        with ExitStack() as stack:
            stack.callback(runner.close)
            for end in ends:
                stack.callback(end.close)

    name = short_name(hub.name, migration.system, move.name)
    return TreeSteps(Tree(move.name, name, places, archives, runner, close, limits_of(hub, move)))


def _runner(hub: Hub, reached: Reaches, migration: Migration, move: Move, archives: Path) -> LateRunner | LocalRunner:
    if reached.sources[move.source].address in HERE:
        # Nobody is led to this machine.
        return LocalRunner(archives / "work")
    place = MoverSpot(hub=hub, reached=reached, system=migration.system, move=move.name, archives=archives, files=True)
    return place.runner()


class _End:
    """One folder; its host is reached over one connection that all commands share."""

    def __init__(self, name: str, reach: Reach, path: str, *, ours: bool = False) -> None:
        self._path, self._ours, self._here = path, ours, reach.address in HERE
        self._tunnel = Tunnel(name, reach)

    def place(self) -> Place:
        """The folder, once its host answers.

        Raises:
            TargetUnreachable: it does not (HST040).
        """
        if self._here and not self._ours:
            return Place(path=self._path)
        return Place(
            path=self._path,
            login=self._tunnel.login,
            ssh=self._tunnel.shared(),
            sudo=self._tunnel.reach.user != "root",
            ours=self._ours,
        )

    def seen_from_elsewhere(self) -> Place:
        """The folder as a mover host reaches it, by its login's own SSH settings: no key leaves this machine."""
        reach = self._tunnel.reach
        return Place(path=self._path, login=self._tunnel.login, sudo=reach.user != "root", ours=self._ours)

    def close(self) -> None:
        """Let go of it."""
        self._tunnel.close()
