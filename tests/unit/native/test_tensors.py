"""Which loops serve a precision and a device."""

from __future__ import annotations

import torch

from sirencodec.native.tensors import loops_for


def test_there_are_none_for_other_devices_and_precisions() -> None:
    assert loops_for(torch.float32, "cuda") is None
    assert loops_for(torch.float16, "cpu") is None
