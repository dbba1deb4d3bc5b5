"""Where to compute: what is asked for, or what is likely to be faster."""

import pytest
import torch

from sirencodec import device
from sirencodec.device import choose_device, choose_pyramid_device
from sirencodec.errors import ParameterError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("choose", [choose_device, choose_pyramid_device])
def test_what_is_asked_for(choose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose("cpu") == CPU
    assert choose("cuda") == CUDA
    for wrong in ("cuda:1", "meta", "abacus"):
        with pytest.raises(ParameterError):
            choose(wrong)


def test_a_gpu_is_taken_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled loops fit a pyramid sooner; there may be none, and nothing else has them."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == CUDA
    for loops, expected in (((object(),), CPU), ((), CUDA)):
        monkeypatch.setattr(device, "single_kernels", lambda loops=loops: loops)
        assert choose_pyramid_device("auto") == expected
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_pyramid_device("auto") == CPU
