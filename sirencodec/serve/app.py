"""Folder -> ASGI application: requests -> answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sirencodec.batch.messages import explain
from sirencodec.serve.addresses import base_url, split_path
from sirencodec.serve.folder import Folder
from sirencodec.serve.images import Images
from sirencodec.serve.jobs import ASKING
from sirencodec.serve.pages import folder_page, viewer_page
from sirencodec.serve.refusal import RefusalError
from sirencodec.serve.service import ImageService
from sirencodec.serve.settings import Settings
from sirencodec.serve.turns import client_of

STATIC: Final = Path(__file__).with_name("static")
WEB: Final = Path(__file__).parents[1] / "web"
WEB_PARTS: Final = ("src", "dist", "page", "openseadragon")  # of it, what a browser needs
DROP: Final = "/drop"  # where the page is that decodes by itself
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
)
HEADERS: Final = {
    "Content-Security-Policy": f"{_POLICY}script-src 'self'; connect-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# That page runs WebAssembly in workers, and reads any address that its user names.
_DROP_HEADERS: Final = {
    "Content-Security-Policy": f"{_POLICY}script-src 'self' 'wasm-unsafe-eval'; "
    "worker-src 'self'; connect-src 'self' http: https:",
}


class _AnyPath(PathConvertor):
    """Whatever follows: names of files may hold line breaks."""

    regex = "(?s:.*)"


register_url_convertor("any", _AnyPath())

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    folder: Folder, settings: Settings, log: Callable[[str], None] = lambda _: None
) -> Starlette:
    """Folder -> application. ``log`` is called with a line for each failure of ours."""
    images = Images(folder, settings)
    service = ImageService(images, settings.size_limits)
    pages = _Pages(images, folder.root.name or "/")

    def answering(endpoint: Endpoint) -> Endpoint:
        return _answering(endpoint, settings, log)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        images.close()

    return Starlette(
        routes=[
            Route("/", answering(pages.folder)),
            Route("/folder/{name:any}", answering(pages.folder)),
            Route("/view/{name:any}", answering(pages.viewer)),
            Route("/iiif/{parts:any}", answering(service.answer), methods=["GET", "OPTIONS"]),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route(f"{DROP}/", _drop_page),
            *(Mount(f"{DROP}/{each}", StaticFiles(directory=WEB / each)) for each in WEB_PARTS),
        ],
        middleware=[Middleware(_WithHeaders), Middleware(GZipMiddleware)],
        exception_handlers={HTTPException: _refuse_route},
        lifespan=lifespan,
    )


def _drop_page(_request: Request) -> Response:
    """Request -> the page that opens a file without a server's help."""
    return FileResponse(WEB / "index.html")


class _Pages:
    """Endpoints of the pages."""

    def __init__(self, images: Images, title: str) -> None:
        self._images = images
        self._title = title

    async def folder(self, request: Request) -> Response:
        """A folder and the number of a page -> page."""
        name = "/".join(split_path(request.scope["raw_path"], "/folder/")).strip("/")
        listing = await self._images.list(name)
        number = request.query_params.get("page", "1")
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1
        return HTMLResponse(folder_page(self._title, name, listing, page, _root(request)))

    async def viewer(self, request: Request) -> Response:
        """A file -> page."""
        name = "/".join(split_path(request.scope["raw_path"], "/view/"))
        stored = await self._images.stored(name)
        return HTMLResponse(viewer_page(name, stored, _root(request)))


def _root(request: Request) -> str:
    """Request -> path that our URLs begin with."""
    address: str = request.state.base_url
    return urlsplit(address).path


def _answering(endpoint: Endpoint, settings: Settings, log: Callable[[str], None]) -> Endpoint:
    """Endpoint -> the same within the time limit; its errors are a status and one line."""

    async def answer(request: Request) -> Response:
        try:
            address = base_url(request.url.scheme, request.headers.get("host", ""))
            ASKING.set(client_of(request.client.host if request.client else None))
            request.state.base_url = (settings.base_url or address).rstrip("/")
            async with asyncio.timeout(settings.timeout_s):
                return await endpoint(request)
        except RefusalError as refusal:
            if refusal.status >= 500:
                log(f"{refusal} (asked as {request.url.path})")
            return _line(str(refusal), refusal.status)
        except TimeoutError:
            return _line("the time is over; what was asked for is still being made", 503)
        except PermissionError:
            return _line("not readable", 403)
        except Exception as error:
            log(explain(request.url.path, error))
            return _line("something went wrong on the server", 500)

    return answer


async def _refuse_route(_request: Request, error: Exception) -> Response:
    """What matches no route -> a line."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _line("not found" if status == 404 else "not allowed", status)


def _line(reason: str, status: int) -> Response:
    """Reason and status -> answer: one line of text, whatever the reason holds."""
    line = " ".join(reason.encode("utf-8", "replace").decode().split())
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "1"
    return PlainTextResponse(f"{line}\n", status, headers)


class _WithHeaders:
    """Every answer gets the headers that keep a browser from running what we did not write."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        own = _DROP_HEADERS if path.startswith(f"{DROP}/") else {}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS | own)
            await send(message)

        await self._app(scope, receive, send_with_headers)
