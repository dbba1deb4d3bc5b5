"""What the terms that compute all grids at once share: sums and parts of their code lengths."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from sirencodec.fitting.loss.costs import ContextNetwork


class WholeRate(ABC):
    """Part of a ``RateTerm``: all that follows from the code lengths of all grids."""

    @abstractmethod
    def code_lengths(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork]
    ) -> list[Tensor]:
        """See ``RateTerm``."""

    def code_lengths_by_rows(
        self, grids: Sequence[Tensor], context_networks: Sequence[ContextNetwork], count: int
    ) -> Iterator[tuple[int, int, Tensor]]:
        """A grid at a time. See ``RateTerm``."""
        for grid, lengths in enumerate(self.code_lengths(grids, context_networks)[:count]):
            yield grid, 0, lengths

    def bits(
        self,
        grids: Sequence[Tensor],
        context_networks: Sequence[ContextNetwork],
        *,
        is_sampled: bool = False,
    ) -> float:
        """B. See ``RateTerm``."""
        lengths = self.code_lengths(grids, context_networks)
        return sum(float(of_grid.sum(dtype=torch.float64)) for of_grid in lengths)
