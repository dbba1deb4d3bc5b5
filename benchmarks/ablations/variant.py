"""Codec -> the codec with one of its ingredients replaced, for ablations.

A variant is of one profile, whatever the size of the image, and names the one that it differs from
by its switch: its base, with which it is compared. Of each profile one variant replaces nothing.

A variant is nothing but other settings to encode with: numbers, or functions of
`pure_alternatives.py` and `pyramid_alternatives.py`. So what it encodes any decoder reads.
"""

from dataclasses import dataclass, field
from typing import Any

from sirencodec.api import to_image
from sirencodec.config import EncodeConfig
from sirencodec.fitting.settings import Settings


@dataclass(frozen=True, slots=True)
class Variant:
    """The codec with something replaced.

    Attributes:
        name: as in results and on the command line.
        switch: the ingredient in question, the same for all its variants.
        profile: "pure" or "pyramid".
        base: name of the variant that this one is to be compared with; its own if with none.
        settings: hyper-parameters and ingredients to encode with.
        seed_offset: added to the seed.
    """

    name: str
    switch: str
    profile: str
    base: str
    settings: Settings = field(default_factory=Settings)
    seed_offset: int = 0

    def encode(self, image: Any, *, seed: int = 0, **options: Any) -> bytes:
        """Image and options as for ``sirencodec.encode`` -> file.

        Its profile is the variant's, whatever the size of the image.
        """
        from sirencodec.encoder import encode_image

        config = EncodeConfig(profile=self.profile, seed=seed + self.seed_offset, **options)
        return encode_image(to_image(image), config, settings=self.settings).data
