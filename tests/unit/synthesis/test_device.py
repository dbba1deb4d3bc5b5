"""Where to compute: what is asked for, or what is faster."""

import pytest
import torch

from sirencodec.errors import ParameterError
from sirencodec.synthesis.device import choose_device

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("cpu") == CPU
    assert choose_device("cuda") == CUDA
    for wrong in ("cuda:1", "meta", "abacus"):
        with pytest.raises(ParameterError):
            choose_device(wrong)


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_there, expected in ((True, CUDA), (False, CPU)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda is_there=is_there: is_there)
        assert choose_device("auto") == expected
