"""The hyper-parameters of a pyramid's plan, and of what is foreseen of a fit.

Numbers in brackets are entries of benchmarks/LOG.md, as in ``settings``; without PyTorch.
"""

from dataclasses import dataclass

from sirencodec.bitstream.format import LARGEST_EXPONENT


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Image, target and effort -> network, stages and the lambda to begin with.

    Attributes:
        smallest_bytes: of a file that a pyramid suits. Below, its fixed parts (some 500 bytes)
            leave too little for latents [9, 30].
        hidden_features: width of the network. 8 costs 1 dB; 24, from a random start, gains 0.2 dB
            and takes a tenth longer [28].
        hidden_layers: sine layers after the first; 0 is one sine layer in all and costs 0.8 dB
            [28].
        grids: exponents; an empty grid costs next to nothing, no finest one 0.9 dB [28].
        prior: number of the shipped networks (FORMAT.md).
        stages: octaves that the image is reduced by, and updates at effort 4 for images of up to
            ``usual_pixels``. The last one is at full size. First stages place the coarse grids,
            where an update costs a fraction of a full one [8, 11].
        effort_updates: for each effort, updates relative to those of effort 4.
        reduced_exponent: below effort 4, updates on reduced images shrink by this power of that; 1
            is as the full size's, 0 is not at all.
        fewest_updates: of a stage.
        usual_pixels: a larger image gets fewer updates, by the square root of its size over this.
        small_pixels: a smaller image gets more updates, by the root of this over its size: they
            cost little, and its latents have to come as far [30].
        most_for_small: factor on updates of the smallest images. An update takes some milliseconds,
            however few its pixels.
        tried_pixels: of an image that is fitted as by every lower effort, too: the best is kept, as
            fits of so few latents differ by more than an effort brings [30].
        surplus_per_bpp: a fit with a target begins above the lambda that is foreseen, by this share
            for each bit a pixel. Fine grids that are filled too soon never quite empty again, which
            costs up to 0.5 dB at high rates; at low ones too large a lambda is as bad [26, 27].
        largest_surplus: of those shares; nothing was measured above a bit a pixel.
    """

    smallest_bytes: int = 1_000
    hidden_features: int = 16
    hidden_layers: int = 1
    grids: tuple[int, ...] = tuple(range(LARGEST_EXPONENT + 1))
    prior: int = 1
    stages: tuple[tuple[int, int], ...] = ((2, 75), (1, 175), (0, 950))
    effort_updates: tuple[float, ...] = (0.14, 0.24, 0.4, 0.65, 1.0, 1.7, 2.8, 4.5, 7.4, 12.0)
    reduced_exponent: float = 0.3
    fewest_updates: int = 20
    usual_pixels: int = 2**19
    small_pixels: int = 2**16
    most_for_small: float = 2.5
    tried_pixels: int = 2**14
    surplus_per_bpp: float = 0.6
    largest_surplus: float = 0.6


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """Spectrum of an image and lambda -> PSNR and bits that a fit will come to [26].

    Attributes:
        psnr_offset_db: PSNR of a fit where water-filling has 0 dB.
        psnr_factor: decibels of a fit for one of water-filling; below 1, as grids are redundant.
        blend_share: lambda that gives a size to a fit that follows a blend of measures, relative to
            that of squared error: at one lambda it takes fewer bits [35].
        sure_psnr_db: up to which all of this is of use. Graphics are foreseen to take few bits for
            more, which is far from true [36].
        score_lambda: lambda at which a score of 0 would be expected, if scores kept to the law that
            they have from 20 to 80: 100 - score goes with lambda to the power of ``score_power``,
            whatever the image, within some 5 points [30].
        score_power: that exponent.
        matrices_bits: of all matrices where a bit is worth ``usual_bit_error``.
        usual_bit_error: lambda 0.005 for an image of 768 x 512 pixels.
        matrices_bits_per_octave: how many fewer where a bit is worth twice that error.
        largest_matrices_share: of a small budget.
    """

    psnr_offset_db: float = 5.0
    psnr_factor: float = 0.8
    blend_share: float = 0.6
    sure_psnr_db: float = 45.0
    score_lambda: float = 0.024
    score_power: float = 0.28
    matrices_bits: float = 6_500.0
    usual_bit_error: float = 0.005 / 393_216
    matrices_bits_per_octave: float = 650.0
    largest_matrices_share: float = 0.65


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What a fit does besides updates, in updates at full size.

    Measured of 3 megapixels, tuned for eyes [37, 38].

    Attributes:
        plain: an update that follows no measures, where others of the fit do.
        matrices: choosing their steps, of an image all of whose rows are asked.
        sampled_pixels: from this size on fewer rows are, by the root of this over the size.
        rdoq_pass: over all latents.
        look: at a score.
        bits_look: at the bits of latents.
        finish: coding, decoding and measuring the file.
        corrections: of a fit with a target, as a rule.
    """

    plain: float = 0.5
    matrices: float = 12.0
    sampled_pixels: int = 100_000
    rdoq_pass: float = 5.0
    look: float = 0.35
    bits_look: float = 0.15
    finish: float = 2.0
    corrections: float = 0.5
