"""The service as processes of the release build, and what its clients do."""
from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALADDIN = Path(os.environ.get("ALADDIN_EXECUTABLE") or ROOT / ".build/release/aladdin")
PROFILE = ROOT / "docs/examples/profiles/llama3.1-8b-rtx-pro-6000.json"
MODEL = "llama3.1-8b"
LIBC = ctypes.CDLL(None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare() -> None:
    """In the new process: it does not outlive this one, however that ends."""
    LIBC.prctl(1, signal.SIGKILL)


class Service:
    """Admission is off, so that promises can be broken; what must be refused cannot be promised at all."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="aladdin-observability-"))
        self.http = f"127.0.0.1:{free_port()}"
        self.roles: dict[str, subprocess.Popen] = {}
        self.is_kept = False
        ports = {name: free_port() for name in ("frontend", "worker", "scheduler", "admin")}
        self.flags = [word for name in ports for word in (f"--{name}-endpoint", f"tcp://127.0.0.1:{ports[name]}")]

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_) -> None:
        for process in self.roles.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.roles.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self) -> Path:
        self.is_kept = True
        return self.folder

    def role(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.roles[name] = subprocess.Popen(
                [str(ALADDIN), *arguments, *self.flags], stdout=log, stderr=log, preexec_fn=prepare
            )

    def kill(self, name: str) -> None:
        process = self.roles.pop(name)
        process.kill()
        process.wait()

    def broker(self) -> None:
        self.role("broker", "broker", "--data", str(self.folder / "journal"), "--admission", "off")

    def worker(self, name: str, profile: Path = PROFILE, *flags: str) -> None:
        self.role(name, "worker", "--name", name, "--engine", "emulated", "--profile", str(profile), *flags)

    def other_profile(self, model: str, step_ms: float, sequence_ms: float = 0) -> Path:
        """Of another model, whose steps take so long, and so much longer for each sequence that decodes."""
        profile = json.loads(PROFILE.read_text())
        profile["model"] = model
        profile["prefill"] |= {"c0_ms": 0, "c1_ms": step_ms}
        profile["decode"] |= {"c3_ms": step_ms, "c2_ms": sequence_ms}
        profile["mixed"] = {"c_mix_ms": step_ms}
        path = self.folder / f"{model}.json"
        path.write_text(json.dumps(profile))
        return path

    def start(self) -> None:
        self.broker()
        self.role("scheduler", "scheduler")
        for number in (1, 2, 3):
            self.worker(f"worker-{number}")
        self.role("gateway", "gateway", "--http", self.http)
        end = time.monotonic() + 60
        while True:
            try:
                status = self.get("/v1/cluster")
                if len(status["workers"]) == 3 and status["policy"]:
                    return
            except (OSError, ValueError):
                pass
            if time.monotonic() > end:
                raise SystemExit(f"the service does not start; logs are in {self.keep()}")
            time.sleep(0.2)

    def get(self, path: str):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=10) as answer:
            return json.load(answer)

    def ask(self, tokens: int = 20, model: str = MODEL, reads: int | None = None, **headers: str) -> int:
        """One streamed query; the HTTP status. After `reads` lines the client leaves."""
        body = {"model": model, "stream": True, "max_tokens": tokens, "messages": [{"role": "user", "content": "A lamp."}]}
        fields = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://{self.http}/v1/chat/completions", json.dumps(body).encode(), fields)
        try:
            with urllib.request.urlopen(request, timeout=150) as answer:
                for number, _ in enumerate(answer):
                    if number == reads:
                        break
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def ask_many(self, count: int, **arguments) -> list[threading.Thread]:
        threads = [threading.Thread(target=self.ask, kwargs=arguments, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def load(self, rate: float, seconds: float) -> subprocess.Popen:
        """A trace's queries over HTTP, in the background."""
        with (self.folder / "load.log").open("ab") as log:
            return subprocess.Popen(
                [str(ALADDIN), "bench", "--trace", str(ROOT / "Tests/Data/traces/sharegpt_opt_poisson16.csv"),
                 "--rate", f"{rate}", "--duration-s", f"{seconds}", "--max-output-tokens", "200",
                 "--http", f"http://{self.http}"],
                stdout=log, stderr=log, preexec_fn=prepare,
            )
