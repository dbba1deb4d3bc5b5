"""Codec -> the codec with one of its ingredients replaced, for ablations.

A variant is of one profile, whatever the size of the image, and names the one that it differs from
by its switch: its base, with which it is compared. Of each profile one variant replaces nothing.

Most of them are numbers: a variant encodes with other settings. Where it is a function that is to
be another one, the variant replaces attributes of the codec's modules from outside, in the process
that encodes and again in the one that decodes, and puts them back. What replaces them is a plain
value or something of `pure_alternatives.py` or `pyramid_alternatives.py`, which import PyTorch only
when it is needed.
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
class Alternative:
    """Something of a module of ``benchmarks``; called with ``arguments`` if there are any."""

    name: str
    arguments: tuple[Any, ...] = ()
    module: str = "pure_alternatives"

    def load(self) -> Any:
        """Import it."""
        found = getattr(import_module(f"benchmarks.ablations.{self.module}"), self.name)
        return found(*self.arguments) if self.arguments else found


@dataclass(frozen=True, slots=True)
class Variant:
    """The codec with something replaced.

    Attributes:
        name: as in results and on the command line.
        switch: the ingredient in question, the same for all its variants.
        profile: "pure" or "pyramid".
        base: name of the variant that this one is to be compared with; its own if with none.
        settings: hyper-parameters to encode with.
        replacements: dotted name of a constant, function, class or method of the codec -> what
            takes its place, for what is no setting.
    """

    name: str
    switch: str
    profile: str
    base: str
    settings: Settings = field(default_factory=Settings)
    replacements: Mapping[str, Any] = field(default_factory=dict)

    def encode(self, image: Any, **options: Any) -> bytes:
        """Image and options as for ``sirencodec.encode`` -> file; to be called within ``applied``.

        Its profile is the variant's, whatever the size of the image.
        """
        from sirencodec.encoder import encode_image

        config = EncodeConfig(profile=self.profile, **options)
        return encode_image(to_image(image), config, settings=self.settings).data

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block, functions are replaced; settings are handed in by ``encode``.

        Raises:
            AttributeError: if the codec has no such attribute any more.
        """
        for name in ("encoder", "decoder", "function"):
            import_module(f"sirencodec.{name}")  # and with them all that could be replaced
        # All of them before any is put in place: some hold on to what they replace.
        loaded = {
            target: value.load() if isinstance(value, Alternative) else value
            for target, value in self.replacements.items()
        }
        with ExitStack() as stack:
            for target, value in loaded.items():
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
