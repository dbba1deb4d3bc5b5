"""Names and facts -> HTML. Every name is escaped where it is put in."""

from pathlib import Path
from typing import Final

import jinja2

from sirencodec.serve.addresses import identifier, page_path, shown
from sirencodec.serve.folder import Listing
from sirencodec.serve.info_json import TILE_PIXELS
from sirencodec.serve.stored import StoredFile

FILES_A_PAGE: Final = 120  # thumbnails that a browser asks for as they come into sight
LARGEST_ZOOM: Final = 16  # screen pixels for a stored one, each way
_THUMBNAIL_PIXELS: Final = 320  # twice the space they get, for dense screens

_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def folder_page(title: str, name: str, listing: Listing, page: int, root: str) -> str:
    """What a folder holds -> page with a thumbnail of every file.

    Args:
        title: name of the folder that is served.
        name: of this folder in it, "" for itself.
        listing: what is in it.
        page: from 1; each shows some files.
        root: path that our URLs begin with.
    """
    last_page = max(1, -(-len(listing.files) // FILES_A_PAGE))
    page = min(max(1, page), last_page)
    inside = f"{name}/" if name else ""
    files = listing.files[(page - 1) * FILES_A_PAGE : page * FILES_A_PAGE]
    return _TEMPLATES.get_template("folder.html").render(
        root=root,
        title=shown(name or title),
        parent=_folder_address(name.rpartition("/")[0]) if name else None,
        folders=[
            {"text": shown(each), "address": _folder_address(inside + each)}
            for each in listing.folders
        ],
        files=[
            {
                "text": shown(each),
                "size": bytes_in_words(size),
                "page": f"/view/{page_path(inside + each)}",
                "thumbnail": f"/iiif/{identifier(inside + each)}/full"
                f"/^!{_THUMBNAIL_PIXELS},{_THUMBNAIL_PIXELS}/0/default.webp",
            }
            for each, size in files
        ],
        num_files=len(listing.files),
        page=page,
        last_page=last_page,
        address=_folder_address(name),
    )


def viewer_page(name: str, stored: StoredFile, root: str) -> str:
    """File -> page with a viewer that zooms beyond its pixels."""
    width, height = stored.size
    folder, _, own_name = name.rpartition("/")
    return _TEMPLATES.get_template("viewer.html").render(
        root=root,
        name=shown(own_name),
        back=_folder_address(folder),
        image=f"{root}/iiif/{identifier(name)}",
        width=width,
        height=height,
        tile=TILE_PIXELS,
        zoom=LARGEST_ZOOM,
        tile_format="webp" if stored.has_alpha else "jpg",
        size=bytes_in_words(stored.info.file_bytes),
        bpp=f"{stored.info.bpp:.2f}",
    )


def bytes_in_words(num_bytes: int) -> str:
    """Bytes -> such as "23.4 kB"."""
    size, unit = float(num_bytes), "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"


def _folder_address(name: str) -> str:
    """Name of a folder -> path of its page."""
    return f"/folder/{page_path(name)}" if name else "/"
