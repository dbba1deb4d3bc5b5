"""Rivals are what their names say, and ours can be asked for like them."""

from io import BytesIO

import PIL.Image
import pytest

import sirencodec
from benchmarks.measuring.codecs import CODECS, Effort, is_ours
from benchmarks.measuring.pixels import find_images, tiny_picture
from benchmarks.measuring.quality import psnr_db
from benchmarks.measuring.rate_distortion import Plan


@pytest.mark.parametrize("name", [name for name in CODECS if not is_ours(name)])
def test_rivals_spend_more_bytes_on_more_quality(name):
    codec = CODECS[name]
    if not codec.is_available:
        pytest.skip(f"{name} is not installed")
    pixels = tiny_picture(192, 128)
    low, high = codec.settings[4], codec.settings[-4]
    files = [codec.encode(pixels, setting, Effort()) for setting in (low, high)]
    decodes = [codec.decode(data, 1) for data in files]
    assert len(files[0]) < len(files[1])
    assert psnr_db(pixels, decodes[0]) < psnr_db(pixels, decodes[1])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("jpeg-420", {"format": "JPEG", "subsampling": "4:2:0", "optimize": True}),
        ("jpeg-444", {"format": "JPEG", "subsampling": "4:4:4", "optimize": True}),
        ("webp", {"format": "WEBP", "method": 6}),
        ("avif-420", {"format": "AVIF", "subsampling": "4:2:0", "speed": 4}),
        ("avif-444", {"format": "AVIF", "subsampling": "4:4:4", "speed": 4}),
        (
            "avif-444-psnr",
            {"format": "AVIF", "subsampling": "4:4:4", "speed": 4, "advanced": {"tune": "psnr"}},
        ),
    ],
)
def test_rivals_are_what_their_names_say(name, options):
    if not CODECS[name].is_available:
        pytest.skip(f"{name} is not installed")
    pixels = tiny_picture(96, 64)
    if options["format"] == "JPEG":
        options = options | {"progressive": True}
    buffer = BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, quality=60, **options)
    assert CODECS[name].encode(pixels, 60, Effort()) == buffer.getvalue()


def test_ours_can_be_measured_by_quality_at_the_settings_of_the_others(dataset):
    images = find_images(dataset, ("waves0",))
    plan = Plan(images, ("sirencodec-q", "sirencodec", "webp"), (0,), (2.0,), (50.0,))
    assert sorted((job.codec, job.setting, job.effort) for job in plan.jobs()) == [
        ("sirencodec", 2.0, 0), ("sirencodec-q", 50.0, 0), ("webp", 50.0, None),
    ]  # fmt: skip
    pixels = tiny_picture(24, 16)
    encoded = CODECS["sirencodec-q"].encode(pixels, 50, Effort(0))
    assert encoded == sirencodec.encode(pixels, quality=50, effort=0)
