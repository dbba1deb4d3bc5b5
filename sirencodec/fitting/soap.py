"""Gradients -> parameter updates: SOAP (Vyas et al. 2024, arXiv 2409.11321).

Adam in the basis of eigenvectors of the gradient's covariances. For a matrix W with gradient G:

    L <- c L + (1 - c) G G^T,   R <- c R + (1 - c) G^T G    covariances over rows and columns
    H = U^T G V                                             U, V: eigenvectors of L, R
    m <- a m + (1 - a) H,   v <- b v + (1 - b) H^2          moments, in the rotated basis
    W <- W - rate * U (m / (sqrt(v) + epsilon)) V^T         m, v corrected for their start at 0

The matrices of an image network are tiny, so the basis costs a few percent of an update. At equal
time SOAP fits an image 2 dB closer than Adam does (benchmarks/LOG.md, entry 2).

Parameters of one shape are one stack, so that the many equal hidden layers take one call each
instead of a loop.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

EPSILON: Final = 1e-12  # against division by zero: gradients of a mean square can be very small


@dataclass(frozen=True, slots=True)
class SoapSettings:
    """How SOAP remembers; numbers in brackets are entries of benchmarks/LOG.md.

    Attributes:
        first_moment_decay: a, of the mean gradient in an update; 0 follows the last gradient alone.
            0.9 costs 0.2 dB [2].
        second_moment_decay: b, of the mean squared gradient. 0.99 costs 0.2 dB [2].
        covariance_decay: c, of the covariances over rows and columns; 0 sees the last gradient
            alone.
        basis_period: updates between refreshes of the eigenvectors.
        basis_warm_up: first updates, each of which refreshes them.
        largest_ratio: of m to sqrt(v), in one coordinate. Where the basis has just turned, v is not
            yet that of the new direction and the ratio may exceed 1; one such update can throw a
            weight out of reach [4]. Infinity is no limit.
    """

    first_moment_decay: float = 0.95
    second_moment_decay: float = 0.95
    covariance_decay: float = 0.95
    basis_period: int = 5
    basis_warm_up: int = 20
    largest_ratio: float = 1.0


DEFAULT_SETTINGS: Final = SoapSettings()


class _StackState:
    """What SOAP remembers of a stack of equal matrices, (count, rows, columns)."""

    def __init__(self, parameters: Sequence[Tensor], settings: SoapSettings) -> None:
        self._settings = settings
        like = parameters[0]
        count, (rows, columns) = len(parameters), like.shape
        self.row_covariance = like.new_zeros(count, rows, rows)
        self.column_covariance = like.new_zeros(count, columns, columns)
        self.row_basis = torch.eye(rows).to(like).repeat(count, 1, 1)
        self.column_basis = torch.eye(columns).to(like).repeat(count, 1, 1)
        # Both moments live in the rotated basis.
        self.first_moment = like.new_zeros(count, rows, columns)
        self.second_moment = like.new_zeros(count, rows, columns)

    def accumulate(self, gradient: Tensor) -> None:
        """Take one more gradient into the covariances."""
        share = 1 - self._settings.covariance_decay
        self.row_covariance.lerp_(gradient @ gradient.mT, share)
        self.column_covariance.lerp_(gradient.mT @ gradient, share)

    def start_basis(self) -> None:
        """Take the first covariances' eigenvectors, while there are no moments to carry over."""
        self.row_basis = torch.linalg.eigh(self.row_covariance)[1].flip(-1)
        self.column_basis = torch.linalg.eigh(self.column_covariance)[1].flip(-1)

    def refresh_basis(self) -> None:
        """Follow the covariances' eigenvectors by one orthogonal iteration each.

        The first moment is rotated into the new basis. The second is a number a coordinate: it
        follows its eigenvector to another place, and otherwise stays.
        """
        moment = self.row_basis @ self.first_moment @ self.column_basis.mT
        self.row_basis, order = _iterate(self.row_covariance, self.row_basis)
        rows = order[:, :, None].expand_as(self.second_moment)
        self.second_moment = self.second_moment.gather(1, rows)
        self.column_basis, order = _iterate(self.column_covariance, self.column_basis)
        columns = order[:, None, :].expand_as(self.second_moment)
        self.second_moment = self.second_moment.gather(2, columns)
        self.first_moment = self.row_basis.mT @ moment @ self.column_basis

    def direction(self, gradient: Tensor, update: int) -> Tensor:
        """Gradient and number of the update, from 1 -> direction to move against."""
        first, second = self._settings.first_moment_decay, self._settings.second_moment_decay
        rotated = self.row_basis.mT @ gradient @ self.column_basis
        self.first_moment.lerp_(rotated, 1 - first)
        self.second_moment.lerp_(rotated.square(), 1 - second)
        mean = self.first_moment / (1 - first**update)
        deviation = (self.second_moment / (1 - second**update)).sqrt_()
        ratio, largest = mean.div_(deviation.add_(EPSILON)), self._settings.largest_ratio
        rotated = ratio.clamp_(-largest, largest)
        return self.row_basis @ rotated @ self.column_basis.mT


def _iterate(covariance: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Covariances and approximate eigenvectors -> better eigenvectors, by falling eigenvalue.

    One orthogonal iteration: the Q of a QR decomposition of C U, the columns of U in order.

    Returns:
        Eigenvectors as columns, and the columns of ``basis`` that they come from.
    """
    product = covariance @ basis
    order = torch.argsort((basis * product).sum(-2), dim=-1, descending=True)
    sorted_product = product.gather(2, order[:, None, :].expand_as(product))
    return torch.linalg.qr(sorted_product)[0], order


class Soap:
    """SOAP over a list of matrices, updated in place."""

    def __init__(
        self, parameters: Sequence[Tensor], settings: SoapSettings = DEFAULT_SETTINGS
    ) -> None:
        """Remember ``parameters``; nothing is computed until the first update."""
        self._parameters, self._settings = parameters, settings
        by_shape = defaultdict(list)
        for index, parameter in enumerate(parameters):
            by_shape[parameter.shape].append(index)
        self._stacks = [
            (indices, _StackState([parameters[index] for index in indices], settings))
            for indices in by_shape.values()
        ]
        self._updates = 0

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        """Move each parameter by about its learning rate, in units of the parameter itself.

        Args:
            gradients: one a parameter, of its shape.
            learning_rates: one a parameter.
        """
        self._updates += 1
        warm_up, period = self._settings.basis_warm_up, self._settings.basis_period
        refresh = self._updates <= warm_up or self._updates % period == 0
        start = self._updates == 1
        for indices, state in self._stacks:
            gradient = torch.stack([gradients[index] for index in indices])
            state.accumulate(gradient)
            if start:
                state.start_basis()
            elif refresh:
                state.refresh_basis()
            directions = state.direction(gradient, self._updates)
            for index, direction in zip(indices, directions, strict=True):
                self._parameters[index].sub_(direction, alpha=learning_rates[index])
