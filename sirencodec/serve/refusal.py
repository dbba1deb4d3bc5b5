"""Why a request is not answered, as HTTP says it."""

from sirencodec.errors import SirenCodecError


class RefusalError(SirenCodecError):
    """A request that gets a status and one line instead of what it asked for.

    Attributes:
        status: of HTTP, 400 to 599.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
