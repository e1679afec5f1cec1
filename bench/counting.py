"""What an epoch costs a seed at least: operations, counted in the traced code, and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from attnlogic.backend import Training
from attnlogic_jax import compiled, training
from attnlogic_jax.compiled import Plan
from attnlogic_jax.given import given
from attnlogic_jax.groups import of_group
from attnlogic_jax.platforms import Platform

SEEDS = 64
"""Seeds that are traced side by side: what is computed once for all of them is then not counted."""

MOVES = {
    "broadcast_in_dim", "concatenate", "convert_element_type", "copy", "reshape", "slice",
    "split", "squeeze", "stack", "stop_gradient", "transpose",
}  # fmt: skip
"""Operations that only move or rename numbers."""


class Cost(NamedTuple):
    """Of a seed.

    Attributes:
      operations: of an epoch: sums, products, quotients, roots, comparisons and choices alike.
      state: bytes of what an epoch changes.
    """

    operations: float
    state: int

    def bytes_moved(self, epochs: int) -> float:
        """Bytes read from memory and written to it in an epoch, if so many share one pass."""
        return 2 * self.state / epochs


def cost(work: Training, platform: Platform) -> Cost:
    """Count those of a training whose epoch has no loop: not of L-BFGS."""
    plan = Plan.of(work, platform)
    numbers = given([work])
    packed = np.zeros((len(plan.problem.names), SEEDS), work.precision)
    carry = compiled.start(plan, numbers, packed)

    def epoch(numbers: Any, carry: Any) -> Any:
        one = of_group(0, numbers)
        how, evaluate = plan.method(one), plan.evaluation(one)
        return training.advance(how, evaluate, one.threshold, carry)

    closed = jax.make_jaxpr(epoch)(numbers, carry)
    before, after = closed.jaxpr.invars[-len(jax.tree.leaves(carry)) :], closed.jaxpr.outvars
    changed = [out.aval for held, out in zip(before, after, strict=True) if out is not held]
    state = sum(array.size * array.dtype.itemsize for array in changed if array.ndim)
    return Cost(operations(closed) / SEEDS, state // SEEDS)


class Value(NamedTuple):
    """What a variable holds.

    Attributes:
      node: its number in the graph of what is computed.
      constant: its value, if that is known.
    """

    node: int
    constant: Any = None


def operations(closed: Any) -> int:
    """Operations of a traced function that its results need, each counted once.

    Products with a constant 0 or 1 and sums with a constant 0 are none.
    """
    counter = _Counter()
    outputs = counter.run(closed.jaxpr, closed.consts, [counter.new() for _ in closed.in_avals])
    return counter.needed(outputs)


class _Counter:
    """The computation as a graph: of each node what it costs, and the nodes that it is made of."""

    def __init__(self) -> None:
        self.costs: list[int] = []
        self.inputs: list[tuple[int, ...]] = []
        self.seen: dict[Any, Value] = {}

    def new(self, cost: int = 0, inputs: tuple[int, ...] = (), constant: Any = None) -> Value:
        self.costs.append(cost)
        self.inputs.append(inputs)
        return Value(len(self.costs) - 1, constant)

    def run(self, jaxpr: Any, constants: Any, arguments: list[Value]) -> list[Value]:
        """Walk a jaxpr; its results."""
        held = [self.new(constant=np.asarray(c)) for c in constants]
        known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*held, *arguments], strict=True))

        def value(atom: Any) -> Value:
            if hasattr(atom, "val"):
                return self.once(("literal", str(atom.val)), lambda: self.new(constant=atom.val))
            found: Value = known[atom]
            return found

        for equation in jaxpr.eqns:
            read = [value(atom) for atom in equation.invars]
            inner = next(_inner(equation), None)
            if inner is not None:
                results = self.run(inner.jaxpr, inner.consts, read)
            else:
                results = [
                    self.result(equation, out, place, read)
                    for place, out in enumerate(equation.outvars)
                ]
            known.update(zip(equation.outvars, results, strict=True))
        return [value(atom) for atom in jaxpr.outvars]

    def once(self, key: Any, make: Any) -> Value:
        """What is computed from the same by the same is one."""
        if key not in self.seen:
            self.seen[key] = make()
        return self.seen[key]

    def result(self, equation: Any, out: Any, place: int, read: list[Value]) -> Value:
        """The value of one result of an equation."""
        name = equation.primitive.name
        if name in ("while", "scan", "cond"):
            raise ValueError(f"an epoch with a {name}: how often it runs is not known")
        if name == "optimization_barrier":
            return read[place]
        if name in MOVES and len(read) == 1 and read[0].constant is not None:
            values = np.unique(read[0].constant)
            if values.size == 1:
                return read[0]._replace(constant=values[0])
        if name == "mul":
            for one, other in (read, read[::-1]):
                if _is(one, 0):
                    return one
                if _is(one, 1):
                    return other
        if name in ("add", "add_any", "sub"):
            if _is(read[1], 0):
                return read[0]
            if _is(read[0], 0) and name != "sub":
                return read[1]
        nodes = tuple(one.node for one in read)
        each = {"integer_pow": abs(equation.params.get("y", 2)) - 1}.get(name, 1)
        cost = 0 if name in MOVES else int(out.aval.size) * each
        key = (name, str(equation.params), place, nodes)
        return self.once(key, lambda: self.new(cost, nodes))

    def needed(self, outputs: list[Value]) -> int:
        """What the results cost, and all that they are made of."""
        found, to_do = set(), [one.node for one in outputs]
        while to_do:
            node = to_do.pop()
            if node not in found:
                found.add(node)
                to_do.extend(self.inputs[node])
        return sum(self.costs[node] for node in found)


def _is(value: Value, number: float) -> bool:
    return value.constant is not None and bool(np.all(np.asarray(value.constant) == number))


def _inner(equation: Any) -> Iterator[Any]:
    """The function that an equation calls, if it is a mere call."""
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        inner = equation.params.get(name)
        if hasattr(inner, "jaxpr") and hasattr(inner, "consts"):
            yield inner
