"""A function of tensors on a GPU, recorded once and replayed."""

import gc

import pytest
import torch
from torch import Tensor

from sirencodec.fitting.loss.cuda_graph import Recording


def doubled(tensors: list[Tensor]) -> list[list[Tensor]]:
    """Twice each, by way of objects enough for a collection of garbage."""
    _ = [[number] for number in range(1000)]
    return [[2 * tensor for tensor in tensors]]


@pytest.mark.gpu
def test_a_recording_outlives_the_garbage_of_another() -> None:
    given = [torch.arange(4.0, device="cuda")]
    before = gc.get_threshold()
    gc.set_threshold(10)
    try:
        for _ in range(3):
            recording = Recording(doubled)
            recording(given)
            cycle = [recording]
            cycle.append(cycle)  # type: ignore[arg-type]
            del recording, cycle
        (found,) = Recording(doubled)(given)
    finally:
        gc.set_threshold(*before)
    assert torch.equal(found[0], 2 * given[0])


def test_without_a_gpu_the_function_is_called() -> None:
    (found,) = Recording(doubled)([torch.arange(4.0)])
    assert torch.equal(found[0], torch.tensor([0.0, 2.0, 4.0, 6.0]))
    assert gc.isenabled()
