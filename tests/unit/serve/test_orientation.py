import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
import pytest

from sirencodec.serve.orientation import (
    read_orientation,
    stored_box,
    turn_upright,
    upright_size,
)


def exif(orientation: object) -> bytes:
    tags = PIL.Image.Exif()
    tags[PIL.ExifTags.Base.Orientation] = orientation
    return tags.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_part_of_the_upright_picture_is_found_in_the_stored_one(orientation: int) -> None:
    stored = PIL.Image.fromarray(np.arange(7 * 5, dtype=np.uint8).reshape(5, 7))
    copy = stored.copy()
    copy.getexif()[PIL.ExifTags.Base.Orientation] = orientation
    upright = PIL.ImageOps.exif_transpose(copy)
    assert upright_size(7, 5, orientation) == upright.size
    for box in [(0, 0, 1, 1), (1, 2, 3, 2), (0, 0, *upright.size)]:
        left, top, across, down = box
        wanted = upright.crop((left, top, left + across, top + down))
        x, y, width, height = stored_box(box, 7, 5, orientation)
        part = turn_upright(stored.crop((x, y, x + width, y + height)), orientation)
        np.testing.assert_array_equal(np.asarray(part), np.asarray(wanted))


@pytest.mark.parametrize("data", [None, b"", b"MM", b"II*\0\xff\xff\xff\xff", b"\0" * 50, exif(9)])
def test_what_says_nothing_means_upright(data: bytes | None) -> None:
    assert read_orientation(data) == 1


def test_orientation_is_read() -> None:
    assert read_orientation(exif(6)) == 6
