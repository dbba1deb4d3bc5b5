"""Every exception and warning the package raises, arranged by whose fault it is.

    SirenCodecError
      FormatError          the bytes are wrong
        NotSirenError        they do not begin like a .siren file
        VersionError         a .siren file, of a version this decoder cannot read
        TruncatedError       they end early
        CorruptError         a checksum fails, or a field holds an impossible value
      ImageError           the input is not an image this codec can represent
      LimitError           valid so far, but asks for more than ``Limits`` allows
      ParameterError       an argument of the caller (also a ``ValueError``)
      FitError             the network could not be fitted to the image
      DependencyError      an optional package is not installed (also an ``ImportError``)

    SirenCodecWarning
      ConversionWarning    the stored image differs in kind from the input (palette, CMYK, frames)
      TargetWarning        the asked size or quality was missed; the closest was written

``OSError`` from the file system passes through unchanged.
"""


class SirenCodecError(Exception):
    """Base of every error this package raises on purpose."""


class FormatError(SirenCodecError):
    """The bytes are not a valid .siren file.

    Attributes:
        offset: byte position in the file where reading failed, or None if no one place is at fault.
        field: name of the field in FORMAT.md, or None.
    """

    def __init__(
        self, message: str, *, offset: int | None = None, field: str | None = None
    ) -> None:
        where = [] if field is None else [field]
        if offset is not None:
            where.append(f"at byte {offset}")
        super().__init__(f"{message} ({' '.join(where)})" if where else message)
        self.offset = offset
        self.field = field


class NotSirenError(FormatError):
    """The magic bytes are missing."""


class VersionError(FormatError):
    """The file declares a format version that this decoder does not know."""


class TruncatedError(FormatError):
    """The file ends before its declared contents do."""


class CorruptError(FormatError):
    """A checksum does not match, or a field holds a value the format forbids."""


class ImageError(SirenCodecError):
    """The input cannot be read as an image, or is of a kind that cannot be represented."""


class LimitError(SirenCodecError):
    """The request is well formed but exceeds the ``Limits`` in force.

    Attributes:
        message: what exceeds what.
        limit: the attribute of ``Limits`` that says so, or None.
    """

    def __init__(self, message: str, *, limit: str | None = None, setting: str = "") -> None:
        super().__init__(f"{message}, {setting}" if setting else message)
        self.message = message
        self.limit = limit


class ParameterError(SirenCodecError, ValueError):
    """An argument given by the caller is out of range or contradicts another."""


class FitError(SirenCodecError):
    """Fitting produced no usable network (its loss was not finite)."""


class DependencyError(SirenCodecError, ImportError):
    """What was asked for takes a package that is installed only with an extra."""


class SirenCodecWarning(UserWarning):
    """Base of the warnings this package issues."""


class ConversionWarning(SirenCodecWarning):
    """What is stored differs in kind from what was given: palette, CMYK, further frames."""


class TargetWarning(SirenCodecWarning):
    """The requested size or quality could not be met; the closest reachable was used."""
