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
    for slot in problem.slots:
        room = Room(problem.limits, slot)
        progress = True
        while progress and left:
            progress = False
            ready = [task for task in left.values() if slot.number in task.waves]
            for task in sorted(ready, key=lambda item: _order(item, slot.number, dependents)):
                # Something that waits for a provider comes again as soon as that is in, unless it is urgent.
                if room.takes(task) and (not waits[task.group.index] or _circle(task, left, waits, slot.number)):
                    room.add(task)
                    placed[task.group.index] = slot.number
                    del left[task.group.index]
                    for other in dependents[task.group.index]:
                        waits[other].discard(task.group.index)
                    progress = True
    return None if left else placed


def _order(task: Task, number: int, dependents: dict[int, list[int]]) -> tuple[int, int, int, int, int]:
    urgent = task.waves[-1] if task.waves[-1] - number < URGENT else 10_000
    index = task.group.index
    return (urgent, task.risk - min(len(dependents[index]), 3), -task.effort, -task.size, index)


def _circle(task: Task, left: dict[int, Task], waits: dict[int, set[int]], number: int) -> bool:
    """Whether it goes although a provider has not: the provider cannot come in time, or they wait for each other."""
    if task.waves[-1] - number < URGENT:
        return True
    seen, todo = set(), [task.group.index]
    while todo:
        for provider in waits[todo.pop()]:
            other = left.get(provider)
            if provider == task.group.index or other is None or not other.waves or other.waves[-1] < number:
                return True
            if provider not in seen:
                seen.add(provider)
                todo.append(provider)
    return False
