"""A headless Chromium, told what to do through its debugging pipe."""
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def find() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="aladdin-browser-")
        fromUs, self.toBrowser = os.pipe()
        self.fromBrowser, toUs = os.pipe()

        def connect() -> None:
            # Chromium reads commands from 3 and writes answers to 4; pipes may have those numbers already.
            ends = os.dup(fromUs), os.dup(toUs)
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             # All pages are looked at, though only one is in front.
             "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
             "--disable-backgrounding-occluded-windows", f"--user-data-dir={self.folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=connect, close_fds=False,
        )
        os.close(fromUs)
        os.close(toUs)
        self.number = 0
        self.rest = b""
        self.events: list[dict] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, method: str, session: str | None = None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.toBrowser, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def receive(self) -> dict:
        while b"\0" not in self.rest:
            piece = os.read(self.fromBrowser, 1 << 16)
            if not piece:
                raise RuntimeError("the browser has ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def page(self, url: str, width: int, theme: str) -> Page:
        """`theme` is light or dark."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, width)
        page.send("Page.enable")
        page.send("Runtime.enable")
        page.send("Log.enable")
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        page.resize(900)
        page.send("Page.navigate", url=url)
        return page


class Page:
    def __init__(self, browser: Browser, session: str, width: int):
        self.browser, self.session, self.width = browser, session, width

    def send(self, method: str, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def resize(self, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=self.width, height=height,
                  deviceScaleFactor=2 if self.width < 600 else 1, mobile=self.width < 600)

    def value(self, script: str):
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script: str, patience: float = 60) -> None:
        end = time.monotonic() + patience
        while not self.value(script):
            if time.monotonic() > end:
                raise SystemExit(f"the page never came to {script}: {self.value('document.body.innerText')[:2000]}")
            time.sleep(0.3)

    def picture(self, path: Path) -> None:
        """The whole page."""
        # The page answers events before it is measured.
        self.resize(int(self.value("document.documentElement.scrollHeight")))
        time.sleep(1.2)
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """Exceptions and errors of the page so far; that a gateway may answer with an error is no fault of it."""
        said = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                said.append(str(event["params"]["exceptionDetails"].get("exception", {}).get("description")))
            entry = event["params"].get("entry", {})
            if event["method"] == "Log.entryAdded" and entry["level"] == "error" and entry["source"] != "network":
                said.append(entry["text"])
        return said
