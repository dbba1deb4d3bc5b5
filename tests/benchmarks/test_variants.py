"""Ablations: each variant replaces something, of one profile, and what it costs is told."""

import warnings
from dataclasses import asdict, replace
from importlib.util import find_spec

import pytest

import sirencodec
from benchmarks.ablations.variants import VARIANTS, with_bases
from benchmarks.measuring.pixels import tiny_picture
from benchmarks.reporting.ablation_table import ablation_table
from sirencodec.bitstream.container import parse_container
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.settings import Settings

pytestmark = pytest.mark.slow
needs_bjontegaard = pytest.mark.skipif(
    find_spec("bjontegaard") is None, reason="needs the extra 'bench'"
)
PURE = [name for name, variant in VARIANTS.items() if variant.profile == "pure"]
PYRAMID = [name for name, variant in VARIANTS.items() if variant.profile == "pyramid"]
PICTURE = tiny_picture(16, 12)
USUAL = PyramidSettings()


@pytest.fixture(scope="module")
def pure_file():
    return sirencodec.encode(PICTURE, bpp=12, effort=0, profile="pure")


@pytest.mark.parametrize("name", PURE)
def test_a_variant_replaces_something_and_decodes(name, pure_file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sirencodec.TargetWarning)
        data = VARIANTS[name].encode(PICTURE, bpp=12, effort=0)
    assert sirencodec.decode(data).samples.shape == PICTURE.shape
    # What so small a picture gets anyway.
    is_default = name in {"pure", "batch-2048", "batch-16384", "depth-2"}
    assert (data == pure_file) == is_default


def encode_pyramid(name):
    """At effort 0, a dozen updates in three stages, and no corrections of a missed target.

    Short moves of latents, so that what limits them can be seen.
    """
    variant = VARIANTS[name]
    settings = variant.settings.pyramid
    plan = replace(settings.plan, fewest_updates=3)
    if plan.stages == USUAL.plan.stages:
        plan = replace(plan, stages=((2, 8), (1, 8), (0, 120)))
    latents = settings.latents
    if latents.longest_move == USUAL.latents.longest_move:
        latents = replace(latents, longest_move=1.0)
    correction = replace(settings.correction, most=0)
    tiny = replace(settings, plan=plan, latents=latents, correction=correction)
    variant = replace(variant, settings=Settings(pyramid=tiny))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sirencodec.TargetWarning)
        return variant.encode(tiny_picture(40, 32), bpp=8, effort=0)


@pytest.fixture(scope="module")
def pyramid_file():
    return encode_pyramid("pyramid")


@pytest.fixture(scope="module")
def files():
    """Of all variants so far: names by their bytes."""
    return {}


@pytest.mark.parametrize("name", PYRAMID)
def test_a_variant_of_the_pyramid_replaces_something_and_decodes(name, pyramid_file, files):
    data = encode_pyramid(name)
    assert (data == pyramid_file) == (name == "pyramid")
    assert files.setdefault(data, name) == name
    assert parse_container(data).header.architecture.grids
    assert sirencodec.decode(data).samples.shape == (32, 40, 3)


def test_variants_are_of_their_profile_whatever_the_size():
    small = sirencodec.encode(PICTURE, bpp=12, effort=0)
    assert not parse_container(small).header.architecture.grids, "else this tells nothing"
    assert parse_container(encode_pyramid("pyramid")).header.architecture.grids
    data = VARIANTS["pure"].encode(PICTURE, bpp=12, effort=0)
    assert not parse_container(data).header.architecture.grids


def changes(variant):
    """What a variant has that the codec has not: settings by name."""
    usual, changed = asdict(Settings()), asdict(variant.settings)
    groups = {(profile, group) for profile in changed for group in changed[profile]}
    settings = {}
    for profile, group in groups:
        own, others = changed[profile][group], usual[profile][group]
        if not isinstance(own, dict):
            own, others = {"": own}, {"": others}
        settings |= {(profile, group, k): v for k, v in own.items() if v != others[k]}
    return settings


def test_what_a_variant_is_compared_with_is_measured_before_it():
    assert with_bases(["width-24", "bits-5", "random-start"]) == (
        "pyramid", "random-start", "width-24", "pure", "bits-5",
    )  # fmt: skip
    for variant in VARIANTS.values():
        base = VARIANTS[variant.base]
        assert base.profile == variant.profile
        assert changes(base).items() <= changes(variant).items(), "more than one switch away"


def point(variant, psnr_db, setting=0.2, excess=1.0):
    facts = {"codec": "sirencodec", "effort": 0, "image": "a", "encode_s": excess}
    rate = {"setting": setting, "bpp": excess * setting}
    return facts | rate | {"variant": variant, "psnr_db": psnr_db}


def test_variants_are_compared_with_their_base():
    points = [point("pyramid", 33.0), point("random-start", 32.0), point("width-8", 31.5)]
    points += [point("pure", 30.0), point("bits-5", 29.5)]
    table = ablation_table({"points": points})
    assert "| random-start | −1.00 dB |" in table
    assert "| width-8 | −0.50 dB |" in table
    assert "| bits-5 | −0.50 dB |" in table
    assert table.count("compared with") == 3


@needs_bjontegaard
def test_a_variant_that_takes_a_fifth_more_bits_everywhere():
    curve = [(0.1, 28.0), (0.2, 30.0), (0.4, 32.0)]
    points = [point("pyramid", quality, bpp) for bpp, quality in curve]
    points += [point("one-stage", quality, bpp, 1.2) for bpp, quality in curve]
    table = ablation_table({"points": points})
    assert "| coarse to fine | one-stage | −0.53 dB | −0.53, −0.53 | +20.0 % | 1.20 |" in table
