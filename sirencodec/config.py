"""What a caller may ask of an encode."""

from dataclasses import dataclass

from sirencodec.errors import ParameterError
from sirencodec.limits import DEFAULT_LIMITS

DEFAULT_QUALITY = 60.0
DEFAULT_EFFORT = 4
LARGEST_EFFORT = 9
DEFAULT_TUNE = "visual"
PROFILES = ("auto", "pure", "pyramid")
TUNES = ("visual", "psnr")
STRIP_ALL, STRIP_EXIF, STRIP_LOCATION = STRIP_CHOICES = ("all", "exif", "location")


@dataclass(frozen=True, slots=True)
class EncodeConfig:
    """Options of an encode; at most one of the four targets may be given.

    Attributes:
        quality: 0 to 100, a score on the scale of SSIMULACRA2: 30 is low, 50 medium, 70 high
            quality, and 90 is not to be told from the image. 60 if no target is given. Of images
            under 8 pixels a side, which have no score, a PSNR of 20 + quality / 4 dB.
        bpp: bits a stored pixel of the whole file, not to be exceeded.
        size_bytes: bytes of the whole file, not to be exceeded.
        psnr_db: peak signal-to-noise ratio to reach with as small a file as can be found.
        effort: 0 (fastest) to 9 (smallest file at equal quality).
        max_seconds: time that the encode is planned for, on this machine and however busy it is:
            about so many seconds, whatever ``effort``, but no more than effort 9 takes. None leaves
            it to ``effort``. The same options then give another file each time.
        profile: "pure" codes a network alone, "pyramid" latent grids as well; "auto" takes the one
            that suits the image.
        tune: what a file is to be good at: "visual" is judged by what eyes see (SSIMULACRA2 and
            MS-SSIM, with squared error beside them), "psnr" by squared error alone. None is "psnr"
            where a PSNR is the target, and "visual" elsewhere.
        seed: of all randomness.
        device: "auto", "cpu" or "cuda"; "auto" takes CUDA where there is one.
        strip: metadata to leave out of the file. "location": the GPS in EXIF and XMP. "exif": EXIF
            and XMP; the picture is turned as they say. "all" or True: the ICC profile as well;
            colours are converted to sRGB. False: none.
        max_pixels: an image of more is refused, before it is read where that can be.
    """

    quality: float | None = None
    bpp: float | None = None
    size_bytes: int | None = None
    psnr_db: float | None = None
    effort: int = DEFAULT_EFFORT
    max_seconds: float | None = None
    profile: str = "auto"
    tune: str | None = None
    seed: int = 0
    device: str = "auto"
    strip: bool | str = False
    max_pixels: int = DEFAULT_LIMITS.max_pixels

    def __post_init__(self) -> None:
        """Reject values and combinations that make no sense."""
        self._check_targets()
        if self.max_seconds is not None and not 0 < self.max_seconds < float("inf"):
            raise ParameterError(f"max_seconds must be positive, not {self.max_seconds}")
        if self.effort not in range(LARGEST_EFFORT + 1):
            raise ParameterError(f"effort must be 0 to {LARGEST_EFFORT}, not {self.effort}")
        if self.profile not in PROFILES:
            raise ParameterError(f"profile must be one of {', '.join(PROFILES)}")
        if self.strip not in (False, True, *STRIP_CHOICES):
            raise ParameterError(f"strip must be one of {', '.join(STRIP_CHOICES)}")
        if self.tune is not None and self.tune not in TUNES:
            raise ParameterError(f"tune must be one of {', '.join(TUNES)}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be 0 to 2^63 - 1, not {self.seed}")

    def _check_targets(self) -> None:
        """Reject what no file can be asked for."""
        targets = (self.quality, self.bpp, self.size_bytes, self.psnr_db)
        if sum(target is not None for target in targets) > 1:
            raise ParameterError("give one of quality, bpp, size and psnr, not several")
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise ParameterError(f"quality must be 0 to 100, not {self.quality}")
        for name, target in (("bpp", self.bpp), ("size", self.size_bytes), ("psnr", self.psnr_db)):
            if target is not None and not 0 < target < float("inf"):
                raise ParameterError(f"{name} must be positive and finite, not {target}")

    @property
    def is_visual(self) -> bool:
        """Whether the file is tuned for eyes."""
        usual = "psnr" if self.psnr_db is not None else DEFAULT_TUNE
        return (self.tune or usual) == "visual"
