"""`.siren` bytes -> the function they are."""

from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from sirencodec.bitstream.source import Source
from sirencodec.entropy.stored import open_stored
from sirencodec.errors import ParameterError
from sirencodec.image.image import Image
from sirencodec.image.metadata import Metadata
from sirencodec.image.samples import mode_name
from sirencodec.limits import DEFAULT_LIMITS, Limits
from sirencodec.synthesis.picture import to_picture
from sirencodec.synthesis.region import Crop, check_work, choose_region
from sirencodec.synthesis.samples import check_device, samples_on, windows_on

if TYPE_CHECKING:
    from sirencodec.synthesis.torch_picture import TorchPicture

Values = npt.NDArray[np.float64]


class SirenFunction:
    """An image as a function of continuous coordinates.

    The image covers [-1, 1] x [-1, 1], x to the right and y down; a value is 0 for the darkest
    sample and 1 for the brightest, not clipped.

    Attributes:
        width, height: stored size in pixels.
        mode: "L", "LA", "RGB" or "RGBA", with ";16" for 16 bits a sample.
        metadata: ICC profile, EXIF and XMP.
    """

    def __init__(
        self,
        data: bytes | Source,
        *,
        device: str = "auto",
        exact: bool = False,
        partial: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Rebuild the network of a file. Arguments and errors as for ``decode``.

        Latents are read and decoded when they are first asked for, and kept. So damage of them is
        found then.
        """
        stored = self._stored = open_stored(data, limits, partial=partial)
        self._header = stored.header
        self._limits = limits
        self.width: int = self._header.width
        self.height: int = self._header.height
        stored.check_latents(None)
        stored.decode({})
        self._exact = exact
        self._device = device
        self._as_tensors: TorchPicture | None = None
        self.to(device)
        self.metadata: Metadata = stored.read_metadata()

    @property
    def mode(self) -> str:
        """Mode of the images that ``sample`` returns."""
        return mode_name(self._header.architecture.channels, self._header.bit_depth)

    def __call__(self, coordinates: npt.ArrayLike) -> Values:
        """Coordinates -> values.

        Args:
            coordinates: (..., 2) numbers, finite, (x, y) last; beyond [-1, 1] the function
                continues without an error, but was never fitted there.

        Returns:
            (..., channels) float64.
        """
        points = self._points(coordinates)
        from sirencodec.synthesis.query_torch import query_points

        values = query_points(self._tensors(), points.reshape(-1, 2))
        return values.double().cpu().numpy().T.reshape(*points.shape[:-1], len(values))

    def gradient(self, coordinates: npt.ArrayLike) -> Values:
        """Coordinates -> exact derivatives of the values along x and y.

        Returns:
            (..., channels, 2) float64, per unit of coordinate: half the image's width or height.
        """
        from sirencodec.synthesis.query_torch import query_jacobian

        points = self._points(coordinates)
        jacobian = query_jacobian(self._tensors(), points.reshape(-1, 2)).double().cpu().numpy()
        return jacobian.transpose(2, 1, 0).reshape(*points.shape[:-1], jacobian.shape[1], 2)

    def sample(
        self, width: int | None = None, height: int | None = None, *, crop: Crop | None = None
    ) -> Image:
        """Size -> image, as ``decode`` gives it."""
        region = choose_region(self._header, width=width, height=height, crop=crop)
        windows = windows_on(self._device, region, self._header)
        num_latents = self._stored.check_latents(windows)
        check_work(self._header, region, self._limits, num_latents, exact=self._exact)
        picture = to_picture(self._stored.decode(windows), self._header)
        samples = samples_on(self._device, picture, region, exact=self._exact)
        return Image(samples, self.metadata)

    def to(self, device: str) -> Self:
        """Compute on another device from now on; returns the function itself."""
        check_device(device)
        self._device, self._as_tensors = device, None
        if device not in ("auto", "cpu"):
            self._tensors()  # raises what there is to raise now
        return self

    def _tensors(self) -> "TorchPicture":
        """The picture for PyTorch, made when it is first needed."""
        if self._as_tensors is None:
            from sirencodec.synthesis.device import choose_device
            from sirencodec.synthesis.torch_picture import to_torch

            device = "cpu" if self._device == "auto" else self._device
            picture = to_picture(self._stored.decode(), self._header)
            self._as_tensors = to_torch(picture, choose_device(device), exact=self._exact)
        return self._as_tensors

    @staticmethod
    def _points(coordinates: npt.ArrayLike) -> npt.NDArray[np.float64]:
        # Copied: PyTorch takes neither read-only arrays nor negative strides.
        points = np.array(coordinates, dtype=np.float64, order="C")
        if points.ndim == 0 or points.shape[-1] != 2:
            raise ParameterError(f"coordinates must be (..., 2), not {points.shape}")
        if not np.isfinite(points).all():
            raise ParameterError("coordinates must be finite")
        return points
