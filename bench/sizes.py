"""How much is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Sizes(NamedTuple):
    """``seeds`` and ``epochs`` are what contenders are compared on; the rest is of single parts.

    ``many_…`` are the points of a curve. Peers have a limit where they would take minutes.
    """

    seeds: int = 16_384
    epochs: int = 1000
    lbfgs_epochs: int = 20  # up to twenty evaluations each
    torch_seeds: int = 8
    peer_epochs: int = 300
    torch_epochs: int = 100
    repetitions: int = 8
    model_epochs: int = 100  # of the peers, with other models
    fewer_repetitions: int = 6  # the fewest that give an interval
    at_once: Sequence[int] = (1000, 10_000)  # by the torch backend
    at_once_epochs: int = 60  # too few to be traced
    point_repetitions: int = 4
    many_seeds: Sequence[int] = (10**4, 10**5, 10**6, 10**7)
    many_seeds_counted: Sequence[int] = (10**4, 10**5, 10**6, 10**7, 10**8)
    many_seeds_epochs: int = 100
    many_epochs: Sequence[int] = (100, 1000, 10**4, 10**5, 10**6)
    peer_seed_epochs: int = 2 * 10**8
    few_seeds: int = 1024
    many_conditions: Sequence[int] = (1, 10, 100, 1000)
    condition_epochs: int = 200
    many_bits: Sequence[int] = (2, 3, 4, 5)
    many_hidden: Sequence[int] = (1, 2, 5, 10, 25)  # 5, 9, 21, 41 and 101 parameters
    many_hidden_of_own: Sequence[int] = (2, 10, 25, 125)  # 9, 41, 101 and 501
    hidden_seeds: int = 4096
    hidden_epochs: int = 100
    chunks: Sequence[int] = (4096, 16_384, 65_536, 262_144, 1_048_576)
    chunk_epochs: int = 3000
    cpu_chunks: Sequence[int] = (512, 2048, 8192, 32_768, 131_072)
    cpu_chunk_epochs: int = 1000
    studies: Sequence[tuple[int, int]] = ((100_000, 8000), (1_000_000, 1000))

    def budget(self, by: str) -> int:
        """Epochs with this optimizer."""
        return self.lbfgs_epochs if by == "lbfgs" else self.epochs


QUICK = Sizes(
    seeds=2048, epochs=300, lbfgs_epochs=10, torch_seeds=4, peer_epochs=100, torch_epochs=50,
    repetitions=2, fewer_repetitions=1, point_repetitions=1, model_epochs=20,
    at_once=[1000, 4000], at_once_epochs=50,
    many_seeds=[1000, 4000], many_seeds_counted=[1000, 4000], many_epochs=[100, 1000],
    many_conditions=[1, 10], condition_epochs=20, many_bits=[2, 3], many_hidden=[1, 5],
    many_hidden_of_own=[2, 5], hidden_seeds=256, hidden_epochs=20, chunks=[1024, 4096],
    cpu_chunks=[512, 2048], cpu_chunk_epochs=100, studies=[(20_000, 500)],
)  # fmt: skip
