"""Device names -> torch devices."""

import torch

from sirencodec.errors import ParameterError
from sirencodec.kernels import single_kernels


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


def choose_pyramid_device(name: str) -> torch.device:
    """The same for fitting a pyramid: "auto" takes CUDA only where loops are not compiled.

    A step is thousands of small operations. An H100 takes as long to start them as a single core
    takes for the compiled loops (docs/measurements.md).
    """
    if name == "auto" and single_kernels():
        return torch.device("cpu")
    return choose_device(name)
