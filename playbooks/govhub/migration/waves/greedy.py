"""A plan by simple rules: what is urgent first, providers before dependents, low risk before high.

It proves nothing: that it finds no plan does not mean that there is none, and another plan may need fewer waves.
"""

from __future__ import annotations

from collections import defaultdict

from govhub.migration.waves.packing import Problem, Room, Task

URGENT = 3
"""Waves before a group's last possible one in which it goes before everything else."""


def place(problem: Problem) -> dict[int, int] | None:
    """The wave of each group, by the group's index; None when something is left over."""
    left = {task.group.index: task for task in problem.tasks}
    dependents: defaultdict[int, list[int]] = defaultdict(list)
    waits: defaultdict[int, set[int]] = defaultdict(set)
    for dependent, provider in problem.weak:
        dependents[provider].append(dependent)
        waits[dependent].add(provider)
    placed: dict[int, int] = {}
    horizon = max((task.waves[-1] for task in problem.tasks if task.waves), default=0)
    for slot in problem.slots:
        room = Room(problem.limits, slot)
        progress = True
        while progress and left:
            progress = False
            ready = [task for task in left.values() if slot.number in task.waves]
            for task in sorted(ready, key=lambda item: _order(item, slot.number, horizon, dependents)):
                # Something that waits for a provider comes again as soon as that is in, unless it is urgent.
                free = not waits[task.group.index] or _urgent(task, slot.number, horizon)
                if room.takes(task) and (free or _hopeless(task, left, waits, slot.number)):
                    room.add(task)
                    placed[task.group.index] = slot.number
                    del left[task.group.index]
                    for other in dependents[task.group.index]:
                        waits[other].discard(task.group.index)
                    progress = True
    return None if left else placed


def _until(task: Task, number: int) -> int:
    """The last wave that it can take without a gap from ``number`` on: a flood season ahead is a deadline too."""
    if task.waves[-1] - task.waves[0] + 1 == len(task.waves):
        return task.waves[-1]
    open_waves = set(task.waves)
    while number + 1 in open_waves:
        number += 1
    return number


def _urgent(task: Task, number: int, horizon: int) -> bool:
    """Whether its waves are about to end; the end of all waves is near only when it is there."""
    last = _until(task, number)
    return number == horizon or (last < horizon and last - number < URGENT)


def _order(task: Task, number: int, horizon: int, dependents: dict[int, list[int]]) -> tuple[int, int, int, int, int]:
    first = _until(task, number) if _urgent(task, number, horizon) else 10_000
    index = task.group.index
    return (first, task.risk - min(len(dependents[index]), 3), -task.effort, -task.size, index)


def _hopeless(task: Task, left: dict[int, Task], waits: dict[int, set[int]], number: int) -> bool:
    """Whether waiting is in vain: a provider cannot come any more, or they wait for each other in a circle."""
    seen: set[int] = set()
    todo = [task.group.index]
    while todo:
        for provider in waits[todo.pop()]:
            other = left.get(provider)
            if provider == task.group.index or other is None or not other.waves or other.waves[-1] < number:
                return True
            if provider not in seen:
                seen.add(provider)
                todo.append(provider)
    return False
