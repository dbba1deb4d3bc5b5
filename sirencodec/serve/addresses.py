"""Names of files <-> parts of URLs.

A name may hold any bytes a file system allows; in a URL all but letters and digits are escaped.
What has been decoded once is never decoded again.
"""

import os
import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from sirencodec.serve.refusal import RefusalError

_HOST: Final = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)


def split_path(raw_path: bytes, prefix: str) -> list[str]:
    """Path of a URL as it was sent, and what it begins with -> the parts that follow, decoded."""
    rest = raw_path.removeprefix(prefix.encode())
    return [os.fsdecode(unquote_to_bytes(part)) for part in rest.split(b"/")]


def identifier(name: str) -> str:
    """Name -> identifier in a URL of the image API: one part, its slashes escaped."""
    return quote(os.fsencode(name), safe="")


def page_path(name: str) -> str:
    """Name -> end of the path of a page."""
    return quote(os.fsencode(name), safe="/")


def shown(name: str) -> str:
    """Name -> text to show: one line, with a mark for what is no text."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def base_url(scheme: str, host: str) -> str:
    """Scheme and ``Host`` of a request -> what our URLs begin with.

    Raises:
        RefusalError: 400, if the host is not one: it is repeated in answers.
    """
    if _HOST.fullmatch(host) is None:
        raise RefusalError(400, "the Host header is not a host")
    return f"{scheme}://{host}"
