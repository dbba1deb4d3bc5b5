"""Key -> value, for as long as there is room: what was used longest ago leaves first."""

from collections import OrderedDict
from collections.abc import Hashable


class ByteCache:
    """Values that together take no more than so many bytes.

    Not locked: for one thread, or one event loop.

    Attributes:
        max_bytes: of all values.
        num_bytes: that they take now.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._entries: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many values there are."""
        return len(self._entries)

    def get(self, key: Hashable) -> object | None:
        """Key -> its value, None if there is none; it counts as used."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: object, num_bytes: int) -> None:
        """Keep a value of so many bytes; one that is larger than all room is not kept."""
        self._drop(key)
        if num_bytes > self.max_bytes:
            return
        while self.num_bytes + num_bytes > self.max_bytes:
            self._drop(next(iter(self._entries)))
        self._entries[key] = value, num_bytes
        self.num_bytes += num_bytes

    def _drop(self, key: Hashable) -> None:
        """Forget a value, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.num_bytes -= entry[1]
