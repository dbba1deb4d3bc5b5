"""What several test files need: one small image, and the same encoded once."""

import io

import pytest

import sirencodec
from tests.pictures import make_exif, make_gradient


@pytest.fixture(scope="session")
def gradient_png() -> bytes:
    """An image file with EXIF."""
    buffer = io.BytesIO()
    make_gradient().save(buffer, "PNG", exif=make_exif())
    return buffer.getvalue()


@pytest.fixture(scope="session")
def gradient_siren(gradient_png: bytes) -> bytes:
    """The same as a .siren file."""
    return sirencodec.encode(gradient_png, effort=0)
