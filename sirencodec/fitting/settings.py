"""The hyper-parameters of both profiles, a tree each, handed down from the encoder."""

from dataclasses import dataclass, field, replace
from typing import Final

from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.pyramid.settings import PyramidSettings

# Chosen by a panel on training photographs, three measures of which are not in it (LOG.md, entries
# 29 and 35).
VISUAL: Final = BlendSettings(
    shares=(("ssimulacra2", 1 / 3), ("ms-ssim", 1 / 3), ("visible-error", 1 / 3))
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What every encode shares and no user chooses; ablations and tests ``replace`` some of it.

    Attributes:
        pure: of a network alone; the blend of both profiles is squared error alone.
        pyramid: of a pyramid.
        visual: the blend of a fit that is tuned for eyes.
    """

    pure: PureSettings = field(default_factory=PureSettings)
    pyramid: PyramidSettings = field(default_factory=PyramidSettings)
    visual: BlendSettings = field(default=VISUAL)

    def tuned(self, is_visual: bool) -> "Settings":
        """The same, whose profiles follow the visual blend if that is asked for."""
        if not is_visual:
            return self
        return replace(
            self,
            pure=replace(self.pure, blend=self.visual),
            pyramid=replace(self.pyramid, blend=self.visual),
        )
