"""What became of the tasks of a batch, counted."""

from dataclasses import dataclass

from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.run import Result, Skipped

_UNITS = ("kB", "MB", "GB", "TB")


@dataclass(slots=True)
class Tally:
    """Counts of files and bytes.

    Attributes:
        encoded, skipped, failed: tasks.
        passed_over: pictures in input folders that nothing here reads.
        input_bytes, output_bytes: of what was encoded.
    """

    encoded: int = 0
    skipped: int = 0
    failed: int = 0
    passed_over: int = 0
    input_bytes: int = 0
    output_bytes: int = 0

    def add(self, result: Result) -> None:
        """Count one more."""
        if isinstance(result, Encoded):
            self.encoded += 1
            self.input_bytes += result.input_bytes
            self.output_bytes += len(result.data)
        elif isinstance(result, Skipped):
            self.skipped += 1
        else:
            self.failed += 1

    @property
    def done(self) -> int:
        """Tasks that are over, whatever became of them."""
        return self.encoded + self.skipped + self.failed

    def __str__(self) -> str:
        """All of it, in a line."""
        sizes = f" ({self.sizes})" if self.encoded else ""
        counts = [f"{self.encoded} encoded{sizes}", f"{self.skipped} skipped"]
        if self.passed_over:
            counts.append(f"{self.passed_over} picture{'s' * (self.passed_over > 1)} not read")
        return ", ".join([*counts, f"{self.failed} failed"])

    @property
    def sizes(self) -> str:
        """Bytes before and after."""
        sizes = f"{readable_bytes(self.input_bytes)} became {readable_bytes(self.output_bytes)}"
        return f"{sizes}{share(self.output_bytes, self.input_bytes, ', ')}"


def readable_bytes(count: float) -> str:
    """Bytes -> "812 bytes", "38.2 kB", "1.2 MB": units of 1000, as the options have them."""
    if count < 1000:
        return f"{count:.0f} bytes"
    unit = 0
    count /= 1000
    while count >= 999.95 and unit + 1 < len(_UNITS):
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}"


def share(part: float, whole: float, before: str = "") -> str:
    """Two sizes -> "4.1 %", with something before; nothing if the second is not known."""
    if not whole:
        return ""
    percent = 100 * part / whole
    return f"{before}{percent:.{0 if percent >= 10 else 1}f} %"
