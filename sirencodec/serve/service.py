"""Requests below ``/iiif/`` -> answers of the IIIF Image API 3.0."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sirencodec.serve.addresses import identifier, split_path
from sirencodec.serve.iiif import SizeLimits, parse_image_request, plan_image
from sirencodec.serve.images import Images
from sirencodec.serve.info_json import CONTEXT, PROFILE, describe_image
from sirencodec.serve.refusal import RefusalError
from sirencodec.serve.render import MEDIA_TYPES

PREFIX: Final = "/iiif/"
# Any page may show the pictures, as the API demands.
_CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Link"}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_CACHE: Final = {"Cache-Control": "public, max-age=300"}  # a changed file shows in five minutes
_JSON_LD: Final = f'application/ld+json;profile="{CONTEXT}"'
_PROFILE_LINK: Final = f'<{PROFILE}>;rel="profile"'
_CONTEXT_LINK: Final = (
    f'<{CONTEXT}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"'
)


class ImageService:
    """The files of a folder by the API."""

    def __init__(self, images: Images, size_limits: SizeLimits) -> None:
        self._images = images
        self._size_limits = size_limits

    async def answer(self, request: Request) -> Response:
        """Request -> redirect, ``info.json`` or image.

        Raises:
            RefusalError: if it gets none of them.
        """
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_CORS, **_PREFLIGHT})
        name, *parts = split_path(request.scope["raw_path"], PREFIX)
        address = f"{request.state.base_url}{PREFIX}{identifier(name)}"
        if parts in ([], [""]):
            await self._images.stored(name)
            return RedirectResponse(f"{address}/info.json", 303, _CORS)
        if parts == ["info.json"]:
            return await self._info(request, name, address)
        if len(parts) != 4:
            raise RefusalError(404, "not found; the identifier is one part, its slashes escaped")
        return await self._image(request, name, address, parts)

    async def _info(self, request: Request, name: str, address: str) -> Response:
        stored = await self._images.stored(name)
        facts = describe_image(
            address,
            *stored.size,
            self._size_limits,
            is_colour=stored.is_colour,
            has_alpha=stored.has_alpha,
        )
        body = json.dumps(facts, indent=1).encode()
        wants_json_ld = "application/ld+json" in request.headers.get("accept", "")
        headers = {
            **_CORS,
            **_CACHE,
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:24]}"',
            "Vary": "Accept",
            "Link": _PROFILE_LINK if wants_json_ld else f"{_PROFILE_LINK}, {_CONTEXT_LINK}",
            "Content-Type": _JSON_LD if wants_json_ld else "application/json",
        }
        return _unless_known(request, headers) or Response(body, headers=headers)

    async def _image(self, request: Request, name: str, address: str, parts: list[str]) -> Response:
        wanted = parse_image_request(*parts)
        stored = await self._images.stored(name)
        plan = plan_image(wanted, *stored.size, self._size_limits, is_colour=stored.is_colour)
        headers = {
            **_CORS,
            **_CACHE,
            "ETag": stored.etag,
            "Link": f'{_PROFILE_LINK}, <{address}/{plan.canonical}>;rel="canonical"',
            "Content-Type": MEDIA_TYPES[plan.image_format],
        }
        known = _unless_known(request, headers)
        if known is not None:
            return known
        return Response(await self._images.image(stored, plan), headers=headers)


def _unless_known(request: Request, headers: Mapping[str, str]) -> Response | None:
    """Request and the answer's headers -> 304 if the client has that answer, else None."""
    tags = request.headers.get("if-none-match", "").split(",")
    known = {tag.strip().removeprefix("W/") for tag in tags}
    if not known & {headers["ETag"], "*"}:
        return None
    kept = ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin")
    return Response(status_code=304, headers={k: headers[k] for k in kept if k in headers})
