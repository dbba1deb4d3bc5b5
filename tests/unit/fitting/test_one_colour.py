import numpy as np
import pytest

from sirencodec.bitstream.quantize import dequantize
from sirencodec.fitting.one_colour import is_one_colour, picture_of_one_colour, smallest_network


def shown(samples: np.ndarray) -> list[int]:
    """Image -> samples of the network that is made for it, in single precision."""
    network = picture_of_one_colour(samples, smallest_network(samples.shape[2]))
    first, last = (matrix.astype(np.float32) for matrix in dequantize(network.weights))
    values = last[:, :-1] @ np.sin(first[:, -1]) + last[:, -1]
    return np.rint(values * np.float32(np.iinfo(samples.dtype).max)).astype(int).tolist()


@pytest.mark.parametrize(("dtype", "every"), [(np.uint8, 1), (np.uint16, 7)])
def test_every_sample_comes_back(dtype: type[np.unsignedinteger], every: int) -> None:
    peak = int(np.iinfo(dtype).max)
    for value in range(0, peak + 1, every):
        assert shown(np.full((1, 2, 1), value, dtype)) == [value]
    assert shown(np.full((1, 2, 2), (peak, 0), dtype)) == [peak, 0]


def test_what_is_hidden_is_no_colour() -> None:
    samples = np.full((3, 4, 4), (10, 20, 30, 255), np.uint8)
    assert is_one_colour(samples)
    samples[1, 2, 3] = 254
    assert not is_one_colour(samples)
    samples[..., 3] = 0
    samples[2, 2, 0] = 99
    assert is_one_colour(samples)
    samples[..., 3] = 255
    assert not is_one_colour(samples)
    assert is_one_colour(np.zeros((1, 1, 3), np.uint16))
