"""Codec -> the codec with one of its ingredients replaced, for ablations.

A variant is of one profile, whatever the size of the image, and names the one that it differs from
by its switch: its base, with which it is compared. Of each profile one variant replaces nothing.

Most of them encode with other settings: numbers, or functions of `pure_alternatives.py` and
`pyramid_alternatives.py`. A variant that needs another entropy coder or another decoder replaces
attributes of the codec's modules from outside, in the process that encodes and again in the one
that decodes, and puts them back.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import resolve_name
from typing import Any
from unittest import mock

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
        replacements: dotted name of a constant, function, class or method of the codec -> what
            takes its place, for what is no setting.
    """

    name: str
    switch: str
    profile: str
    base: str
    settings: Settings = field(default_factory=Settings)
    seed_offset: int = 0
    replacements: Mapping[str, Any] = field(default_factory=dict)

    def encode(self, image: Any, *, seed: int = 0, **options: Any) -> bytes:
        """Image and options as for ``sirencodec.encode`` -> file; to be called within ``applied``.

        Its profile is the variant's, whatever the size of the image.
        """
        from sirencodec.encoder import encode_image

        config = EncodeConfig(profile=self.profile, seed=seed + self.seed_offset, **options)
        return encode_image(to_image(image), config, settings=self.settings).data

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block, functions are replaced; settings are handed in by ``encode``.

        Raises:
            AttributeError: if the codec has no such attribute any more.
        """
        for name in ("encoder", "decoder", "function"):
            import_module(f"sirencodec.{name}")  # and with them all that could be replaced
        with ExitStack() as stack:
            for target, value in self.replacements.items():
                for owner, attribute in _places(f"sirencodec.{target}"):
                    stack.enter_context(mock.patch.object(owner, attribute, value))
            yield


def _places(target: str) -> list[tuple[Any, str]]:
    """Dotted name -> where to replace it: a function or class in every module that imported it."""
    owner_name, _, attribute = target.rpartition(".")
    owner = resolve_name(owner_name)
    original = getattr(owner, attribute)
    if isinstance(owner, type) or not callable(original):
        return [(owner, attribute)]
    return [
        (module, attribute)
        for name, module in list(sys.modules.items())
        if name.startswith("sirencodec.") and vars(module).get(attribute) is original
    ]
