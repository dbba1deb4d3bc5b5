"""The hyper-parameters of both profiles: one table each, handed down from the encoder."""

from dataclasses import dataclass, field

from sirencodec.fitting.pure.settings import PureSettings
from sirencodec.fitting.pyramid.settings import PyramidSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What every encode shares and no user chooses; ablations and tests ``replace`` some of it."""

    pure: PureSettings = field(default_factory=PureSettings)
    pyramid: PyramidSettings = field(default_factory=PyramidSettings)
