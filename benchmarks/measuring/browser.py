"""A headless Chromium, driven over its debugging pipe: pages, their complaints, mouse and keys."""

from __future__ import annotations

import base64
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--force-color-profile=srgb", "--hide-scrollbars", "--remote-debugging-pipe"),
)
# The browser reads its commands from 3 and writes to 4.
_START = """import os, sys
high = [os.dup(os.dup(os.dup(int(each)))) for each in sys.argv[1:3]]
os.dup2(high[0], 3), os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_PATIENCE_S = 120


class BrowserError(Exception):
    """What a page's script or the browser says against it."""


class Browser:
    """The process and its pipe: commands one after another, events of all pages."""

    def __init__(self, profile: Path) -> None:
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        ends = (str(to_browser), str(from_browser), str(CHROMIUM))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *ends, *_OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.events: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        while block := os.read(self._in, 1 << 20):
            *whole, rest = (rest + block).split(b"\0")
            for message in whole:
                self._messages.put(json.loads(message))
        self._messages.put(None)

    def call(self, method: str, session: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Command -> its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": arguments}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._messages.get(timeout=_PATIENCE_S)
            if answer is None:
                raise BrowserError(f"the browser has gone ({method})")
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error']['message']}")
            else:
                return dict(answer["result"])

    def page(self, address: str, width: int = 900, height: int = 700, scale: float = 1) -> Page:
        """Address and size -> a page that is loading it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "DOM"):
            page.call(f"{domain}.enable")
        page.resize(width, height, scale)
        page.call("Page.navigate", url=address)
        return page

    def end(self) -> None:
        """Close it."""
        self._process.terminate()
        self._process.wait(_PATIENCE_S)
        os.close(self._out)
        os.close(self._in)


class Page:
    """One page."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Command to the page -> its result."""
        return self._browser.call(method, self._session, **arguments)

    def resize(self, width: int, height: int, scale: float = 1, *, is_mobile: bool = False) -> None:
        """Size in pixels of the page -> the window's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=is_mobile,
        )

    def evaluate(self, script: str) -> Any:
        """Expression, or a promise of one -> its value."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait_for(self, script: str, patience_s: float = 60) -> Any:
        """Expression -> its first value that counts as true."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            value = self.evaluate(script)
            if value:
                return value
            time.sleep(0.05)
        raise BrowserError(f"{script} never came true; {self.complaints()}")

    def complaints(self) -> list[str]:
        """What the page's console and its errors have said so far."""
        self.evaluate("0")
        found = []
        for event in self._browser.events:
            details = event.get("params", {})
            if event.get("sessionId") != self._session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                thrown = details["exceptionDetails"]
                found.append(thrown.get("exception", {}).get("description", thrown["text"]))
            elif event["method"] == "Log.entryAdded":
                entry = details["entry"]
                found.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
            elif event["method"] == "Runtime.consoleAPICalled":
                values = [str(each.get("value", each)) for each in details["args"]]
                found.append(f"{details['type']}: {' '.join(values)}")
        return found

    def screenshot(self) -> bytes:
        """The page as it is -> PNG file."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def choose_files(self, selector: str, paths: Sequence[Path]) -> None:
        """Files -> those of an input element, as if the user had chosen them."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def drop(self, paths: Sequence[Path], x: int, y: int) -> None:
        """Files, dragged over the page and dropped at a place."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """One event of the mouse: mousePressed, mouseMoved, mouseReleased or mouseWheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """From a place to another with the button held."""
        held: dict[str, Any] = {"button": "left", "buttons": 1, "clickCount": 1}
        self.mouse("mousePressed", *start, **held)
        for part in (0.25, 0.5, 0.75, 1):
            x, y = (a + (b - a) * part for a, b in zip(start, stop, strict=True))
            self.mouse("mouseMoved", x, y, **held)
        self.mouse("mouseReleased", *stop, button="left", clickCount=1)

    def press(self, key: str, code: str) -> None:
        """What a key means and where it lies -> pressed and released."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code)

    def pinch(self, centre: tuple[float, float], start: float, stop: float) -> None:
        """Two fingers, so far from the centre at first and at last."""
        x, y = centre

        def points(distance: float) -> list[dict[str, float]]:
            return [{"x": x - distance, "y": y, "id": 0}, {"x": x + distance, "y": y, "id": 1}]

        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points(start))
        for step in range(1, 9):
            distance = start + (stop - start) * step / 8
            self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=points(distance))
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Within the block, a browser with its data in a folder of its own."""
    running = Browser(profile)
    try:
        yield running
    finally:
        running.end()
