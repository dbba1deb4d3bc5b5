"""Device names -> torch devices."""

import torch

from sirencodec.errors import ParameterError


def choose_device(name: str) -> torch.device:
    """Name: "auto", "cpu", "cuda" or "cuda:N" -> a device that exists here.

    "auto" takes CUDA where there is one.

    Raises:
        ParameterError: if the name is unknown or the device is missing.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ParameterError(f"unknown device {name!r}: use auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise ParameterError(f"unsupported device {name!r}: use auto, cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ParameterError(f"device {name!r} is not available on this machine")
    return device
