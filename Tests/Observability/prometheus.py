"""A Prometheus of our own, with the configuration that we ship."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from service import ROOT, Service, free_port, prepare


def find(program: str) -> str | None:
    return shutil.which(program)


class Prometheus:
    """Scrapes once a second instead of every five, since nobody wants to wait."""

    def __init__(self, service: Service):
        self.service = service
        self.folder = Path(tempfile.mkdtemp(prefix="aladdin-prometheus-"))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, *_) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        text = (ROOT / "compose/prometheus/prometheus.yaml").read_text()
        text = text.replace('"gateway:8080"', f'"{self.service.http}"')
        text = re.sub(r"(scrape|evaluation)_interval: 5s", r"\1_interval: 1s", text).replace("timeout: 5s", "timeout: 1s")
        assert self.service.http in text and "interval: 1s" in text
        (self.folder / "prometheus.yaml").write_text(text)
        shutil.copy(ROOT / "compose/prometheus/alerts.yaml", self.folder)
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [find("prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=data",
                 "--web.listen-address=" + self.url.removeprefix("http://")],
                cwd=self.folder, stdout=log, stderr=log, preexec_fn=prepare,
            )
        self.until("the service to be scraped", lambda: self.value('up{job="aladdin"}') == 1)

    def get(self, path: str, **parameters: str):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            # It is starting.
            if error.code == 503:
                raise
            raise SystemExit(f"{path} {parameters}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and values of now; those that are not numbers are left out, as a graph leaves them out."""
        result = self.get("query", query=expression)["result"]
        samples = [(one["metric"], float(one["value"][1])) for one in result]
        return [(labels, value) for labels, value in samples if value == value]

    def value(self, expression: str) -> float | None:
        try:
            samples = self.query(expression)
        except OSError:
            return None
        return samples[0][1] if samples else None

    def until(self, what: str, holds, patience: float = 90):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if (value := holds()):
                return value
            time.sleep(0.5)
        raise SystemExit(f"waited in vain for {what}; logs are in {self.service.keep()}")
