"""What waits, of many clients -> one piece after another, the clients in turn."""

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Generic, TypeVar

Piece = TypeVar("Piece")

_NETWORK_BITS: Final = 64  # of an IPv6 address: whoever has one has 2^64 of them


class Turns(Generic[Piece]):
    """A queue for each client.

    Whoever has asked for much waits behind himself alone. Where there is no room, the newest piece
    of whoever has the most waiting leaves.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Piece]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """How many pieces wait."""
        return self._count

    def add(self, client: str, piece: Piece) -> None:
        """A client's piece waits."""
        self._waiting.setdefault(client, deque()).append(piece)
        self._count += 1

    def take(self) -> Piece:
        """The oldest piece of the client whose turn it is; there must be one."""
        client, pieces = self._waiting.popitem(last=False)
        piece = pieces.popleft()
        if pieces:
            self._waiting[client] = pieces  # behind the others
        self._count -= 1
        return piece

    def send_away(self) -> Piece:
        """The newest piece of whoever has the most; there must be one."""
        client = max(self._waiting, key=lambda each: len(self._waiting[each]))
        piece = self._waiting[client].pop()
        if not self._waiting[client]:
            del self._waiting[client]
        self._count -= 1
        return piece


def client_of(host: str | None) -> str:
    """Address of a request's other end, None if it has none -> who asks."""
    try:
        address = ip_address(host or "")
    except ValueError:  # a socket of the file system
        return ""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _NETWORK_BITS), strict=False))
    return str(address)
