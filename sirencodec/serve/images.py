"""Names and plans -> files and image files: what is read and computed once is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from sirencodec.errors import FormatError, LimitError
from sirencodec.serve.cache import ByteCache
from sirencodec.serve.folder import Folder, Listing, Stamp
from sirencodec.serve.iiif import ImagePlan
from sirencodec.serve.jobs import Jobs
from sirencodec.serve.refusal import RefusalError
from sirencodec.serve.render import Sampler, render
from sirencodec.serve.settings import Settings
from sirencodec.serve.stored import StoredFile, read_stored

READER_THREADS: Final = 4  # for disks, so that headers do not wait for pictures
_LATENT_BYTES: Final = 8  # that an opened function holds for each: 5.6 were measured
_PARAMETER_BYTES: Final = 32
_FUNCTION_BYTES: Final = 2**17  # and its objects


class Images:
    """The files of a folder, opened and decoded as they are asked for."""

    def __init__(self, folder: Folder, settings: Settings) -> None:
        """Serve ``folder`` within the bounds of ``settings``."""
        self._folder = folder
        self._limits = settings.limits
        self._device = settings.device
        cache = ByteCache(settings.cache_bytes)
        self._reading = Jobs(cache, READER_THREADS, settings.timeout_s)
        self._decoding = Jobs(cache, settings.num_threads, settings.timeout_s)

    async def stored(self, name: str) -> StoredFile:
        """Name -> the file as it is now.

        Raises:
            RefusalError: 404 if there is none, 500 if it is damaged or asks for too much.
            OSError: what the file system says.
        """
        stamp = await self._reading.once(partial(self._stamp, name))
        return await self._reading.result(
            ("file", stamp), partial(self._read, name), lambda stored: stored.num_bytes
        )

    async def list(self, name: str) -> Listing:
        """Name of a folder -> what is in it. Errors as of ``Folder.list``."""
        return await self._reading.once(partial(self._folder.list, name))

    async def image(self, stored: StoredFile, plan: ImagePlan) -> bytes:
        """File and plan -> image file.

        Raises:
            RefusalError: 400 if that is too much work, 500 if the file is damaged, 503 if busy.
        """
        function = await self._decoding.result(
            ("function", stored.etag),
            partial(self._open, stored),
            lambda _: _function_bytes(stored),
        )
        return await self._decoding.result(
            ("image", stored.etag, plan.canonical), partial(_render, function, stored, plan), len
        )

    def close(self) -> None:
        """Start nothing any more."""
        self._reading.close()
        self._decoding.close()

    def _stamp(self, name: str) -> Stamp:
        with self._folder.open(name) as (_, stamp):
            return stamp

    def _read(self, name: str) -> StoredFile:
        with self._folder.open(name) as (file, _), _damage_reported(name):
            return read_stored(self._limits.read(file), self._limits)

    def _open(self, stored: StoredFile) -> Sampler:
        # Here, since it may bring PyTorch, which info.json does not wait for.
        from sirencodec.function import SirenFunction

        with _damage_reported("the picture"):
            return SirenFunction(stored.data, device=self._device, limits=self._limits)


def _render(function: Sampler, stored: StoredFile, plan: ImagePlan) -> bytes:
    try:
        return render(function, stored, plan)
    except LimitError as error:
        raise RefusalError(400, str(error)) from error
    except FormatError as error:  # found when latents are decoded
        raise RefusalError(500, f"the picture: {error}") from error


@contextmanager
def _damage_reported(name: str) -> Iterator[None]:
    """Within the block, a file that cannot be decoded is the server's fault, in one line."""
    try:
        yield
    except (FormatError, LimitError) as error:
        raise RefusalError(500, f"{name}: {error}") from error


def _function_bytes(stored: StoredFile) -> int:
    """File -> memory that its opened function takes, about."""
    info = stored.info
    parts = info.num_latents * _LATENT_BYTES + info.num_parameters * _PARAMETER_BYTES
    return parts + _FUNCTION_BYTES
