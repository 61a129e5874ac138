"""Rules that can be switched off one by one, and the smallest set of them that cannot hold together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import networkx

from govhub.migration.waves.cpsat.solving import make_solver

if TYPE_CHECKING:
    from ortools.sat.python import cp_model


def conflict(model: RuleModel, seconds: float) -> tuple[list[int], bool]:
    """A smallest set of rules, by index, that cannot hold together, and whether that is proven.

    Empty when all can hold, or when this was not found out in time.
    """
    core = model.core(seconds)
    if core is None:
        return [], False
    proven, kept = True, list(core)
    # Whoever is asked first is dropped first: rules of everybody stay only when the special ones cannot do without.
    for rule in sorted(core, reverse=True):
        rest = [item for item in kept if item != rule]
        answer = model.holds(rest, seconds)
        if answer is False:
            kept = rest
        proven = proven and answer is not None
    return kept, proven


Share = tuple[int, int, int, Mapping[str, tuple[int, Collection[frozenset[int]]]]]


class RuleModel:
    """Systems, waves, and rules that can be switched off one by one.

    ``blocked`` says, for a system and a wave, which sets of rules stand in the way: one for each kind of day. The
    wave is open when the rules of at least one set are all off. Each of ``sums`` bounds the weights in some of the
    waves. Each of ``shares`` bounds, while its rule is on, the weights of those in a wave that have no later night
    in it: ``(rule, wave, most, {system: (weight, one set of rules for each later night)})``. ``later`` stands for
    all waves that could follow the last.
    """

    def __init__(
        self,
        systems: Sequence[str],
        waves: Sequence[int],
        blocked: Mapping[tuple[str, int], Collection[frozenset[int]]],
        together: Sequence[tuple[int, str, str]],
        sums: Sequence[tuple[int, Mapping[str, int], Mapping[int, int]]],
        rules: int,
        later: int,
        shares: Sequence[Share] = (),
    ) -> None:
        self.later, self.shares = later, shares
        self.systems, self.waves = systems, waves
        self.blocked, self.together, self.sums, self.rules = blocked, together, sums, rules

    def core(self, seconds: float) -> list[int] | None:
        """Rules that are enough for a contradiction; not the fewest. None when there is no contradiction."""
        from ortools.sat.python import cp_model

        model, switches = self._build(None)
        model.add_assumptions(list(switches.values()))
        solver = make_solver(len(self.systems), seconds, quick=True)
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            core = set(solver.sufficient_assumptions_for_infeasibility())
            found = [rule for rule, literal in switches.items() if literal.index in core]
            return sorted(found) if found and self.holds(found, seconds) is False else list(range(self.rules))
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) or self.holds(range(self.rules), seconds) is not False:
            return None
        return list(range(self.rules))

    def holds(self, rules: Collection[int], seconds: float) -> bool | None:
        """Whether there is a plan that keeps ``rules``; None when that was not found out in time."""
        from ortools.sat.python import cp_model

        model, _ = self._build(set(rules))
        solver = make_solver(len(self.systems), seconds, quick=True)
        status = solver.solve(model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return True
        return False if status == cp_model.INFEASIBLE else None

    def _build(self, kept: set[int] | None) -> tuple[cp_model.CpModel, dict[int, Any]]:
        """The model with the ``kept`` rules as plain constraints, or with a switch for each when None."""
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        switches = {rule: model.new_bool_var("") for rule in range(self.rules)} if kept is None else {}
        on = set(range(self.rules)) if kept is None else kept
        place = {(name, wave): model.new_bool_var("") for name in self.systems for wave in self.waves}
        for name in self.systems:
            model.add_exactly_one(place[name, wave] for wave in self.waves)
        for (name, wave), sets in self.blocked.items():
            if kept is None:
                gates = [_none_of(model, switches, part) for part in sets]
                model.add_bool_or([place[name, wave].negated(), *gates])
            elif all(part & kept for part in sets):
                model.add(place[name, wave] == 0)
        for rule, one, other in self.together:
            for wave in self.waves if rule in on else ():
                model.add(place[one, wave] == place[other, wave]).only_enforce_if(*_switch(switches, rule))
        for rule, weights, capacity in self.sums:
            for wave, most in capacity.items() if rule in on else ():
                if wave == self.later:
                    continue
                total = sum(weight * place[name, wave] for name, weight in weights.items())
                model.add(total <= most).only_enforce_if(*_switch(switches, rule))
        self._shares(model, switches, on, place)
        self._later(model, switches, on, place)
        return model, switches

    def _shares(
        self, model: cp_model.CpModel, switches: Mapping[int, Any], on: set[int], place: Mapping[tuple[str, int], Any]
    ) -> None:
        """Who has no later night in a wave because of rules that are on needs its part of the line before."""
        for rule, wave, most, systems in self.shares:
            terms = []
            for name, (weight, later) in sorted(systems.items()):
                early = place[name, wave]
                if switches:
                    early = model.new_bool_var("")
                    gates = [_none_of(model, switches, part) for part in later]
                    model.add_bool_or([place[name, wave].negated(), early, *gates])
                if switches or all(part & on for part in later):
                    terms.append(weight * early)
            if terms and rule in on:
                model.add(sum(terms) <= most).only_enforce_if(*_switch(switches, rule))

    def _later(
        self, model: cp_model.CpModel, switches: Mapping[int, Any], on: set[int], place: Mapping[tuple[str, int], Any]
    ) -> None:
        """Behind the last wave there are as many as are needed, but what moves together must fit into one of them."""
        graph = networkx.Graph()
        graph.add_nodes_from(self.systems)
        graph.add_edges_from((one, other, {"rule": rule}) for rule, one, other in self.together if rule in on)
        for part in networkx.connected_components(graph):
            ties = {data["rule"] for _, _, data in graph.edges(part, data=True)}
            for rule, weights, capacity in self.sums:
                most = max(capacity.values(), default=0)
                if rule in on and sum(weights.get(name, 0) for name in part) > most:
                    total = sum(weights.get(name, 0) * place[name, self.later] for name in sorted(part))
                    gates = [gate for item in sorted({rule, *ties}) for gate in _switch(switches, item)]
                    model.add(total <= most).only_enforce_if(*gates)


def _switch(switches: Mapping[int, Any], rule: int) -> list[Any]:
    return [switches[rule]] if switches else []


def _none_of(model: Any, switches: Mapping[int, Any], rules: Collection[int]) -> Any:
    gate = model.new_bool_var("")
    for rule in rules:
        model.add_implication(gate, switches[rule].negated())
    return gate
