"""What training costs as the work grows, along one axis at a time.

Each point is a process of its own: attnlogic's, and beside it that of the fastest peer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench import costs
from bench.sizes import Sizes

ATTNLOGIC, COUNTED, PEER = "attnlogic", "attnlogic, a census", "JAX, the fastest found"
OWN, PEER_OWN = "attnlogic, own loss", "JAX, own loss"
PEERS = {PEER: ATTNLOGIC, PEER_OWN: OWN}
"""What each peer is compared with."""


class Point(NamedTuple):
    """One training that is measured.

    Attributes:
      way: who trains, and with what code.
      ask: what ``bench.probe`` is asked, besides the numbers below.
      seeds, epochs, conditions, bits: the work.
      hidden: the hidden units of an ``mlp``; None for the notebook's attention.
    """

    way: str
    ask: str
    seeds: int
    epochs: int
    conditions: int = 1
    bits: int = 2
    hidden: int | None = None

    def measured(self, repetitions: int) -> dict[str, Any]:
        """The point and what ``bench.probe`` tells of it."""
        work = {k: v for k, v in self._asdict().items() if k not in ("way", "ask")}
        told = costs.probe(self.ask, repetitions=repetitions, own=self.own, **work)
        return {"way": self.way, **work, **told}

    @property
    def own(self) -> bool:
        """Whether the network is a user's own loss, in array code."""
        return self.way in (OWN, PEER_OWN)


def seeds(sizes: Sizes) -> Iterator[Point]:
    """More seeds, few epochs; a census keeps a tally on disk instead of rows in memory."""
    few = sizes.many_seeds_epochs
    for n in sizes.many_seeds_counted:
        if n in sizes.many_seeds:
            yield Point(ATTNLOGIC, "train", n, few)
            yield Point(PEER, "peer", n, few)
        yield Point(COUNTED, "census", n, few)


def epochs(sizes: Sizes) -> Iterator[Point]:
    """More epochs, few seeds."""
    few = sizes.few_seeds
    for n in sizes.many_epochs:
        yield Point(ATTNLOGIC, "train", few, n)
        if few * n <= sizes.peer_seed_epochs:
            yield Point(PEER, "peer", few, n)


def conditions(sizes: Sizes) -> Iterator[Point]:
    """More learning rates of AdamW, each with the same few seeds."""
    for n in sizes.many_conditions:
        for way, ask in ((ATTNLOGIC, "train"), (PEER, "peer")):
            yield Point(way, ask, sizes.few_seeds, sizes.condition_epochs, conditions=n)


def bits(sizes: Sizes) -> Iterator[Point]:
    """Parity of more bits, by attention."""
    for n in sizes.many_bits:
        for way, ask in ((ATTNLOGIC, "train"), (PEER, "peer")):
            yield Point(way, ask, sizes.hidden_seeds, sizes.hidden_epochs, bits=n)


def parameters(sizes: Sizes) -> Iterator[Point]:
    """Wider networks on XOR: attnlogic's arithmetic up to 101 parameters, own losses beyond."""
    both = ((ATTNLOGIC, PEER, sizes.many_hidden), (OWN, PEER_OWN, sizes.many_hidden_of_own))
    for ours, theirs, hidden in both:
        for n in hidden:
            for way, ask in ((ours, "train"), (theirs, "peer")):
                yield Point(way, ask, sizes.hidden_seeds, sizes.hidden_epochs, hidden=n)


AXES: dict[str, Callable[[Sizes], Iterator[Point]]] = {
    "seeds": seeds, "epochs": epochs, "conditions": conditions, "bits": bits,
    "parameters": parameters,
}  # fmt: skip
"""The points along each axis."""
