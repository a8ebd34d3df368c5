"""Programs that are measured: found, built, started, waited for, stopped."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "Tests/Benchmarks/peers"
BUILT = ROOT / ".build/bench"
# Another build may be measured by naming its directory.
RELEASE = Path(os.environ.get("ALADDIN_BENCH_BINARIES", ROOT / ".build/release"))
MESSAGES = ROOT / "Sources/CAladdinMessages"


class Missing(Exception):
    """Something that a row needs is not there."""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"{program} is not installed")


def run(*command, timeout=600, check=True, **options):
    """Runs a command and returns what it wrote to standard output."""
    result = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, **options
    )
    if check and result.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {result.returncode}: {result.stderr.strip()[-400:]}")
    return result.stdout


def measure(*command, **options):
    """Runs a command that writes one line of JSON, and returns it."""
    return json.loads(run(*command, **options).strip().splitlines()[-1])


def probe(*arguments, **options):
    return measure(RELEASE / "BenchProbes", *arguments, "--root", ROOT, **options)


def compile_c(name, *flags, source=None):
    """A peer in C, built if it is older than its source."""
    source = PEERS / (source or f"{name}.c")
    target = BUILT / name
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        BUILT.mkdir(parents=True, exist_ok=True)
        run("cc", "-O2", "-o", target, source, *flags)
    return target


def compile_load():
    return compile_c("load", "-lzmq")


def compile_workers():
    sources = sorted((MESSAGES / "aladdin/v1").glob("*.c"))
    return compile_c("workers", f"-I{MESSAGES / 'include'}", *sources, "-lzmq", "-lprotobuf-c", "-lpthread")


def free_ports(count):
    """TCP ports of loopback that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_port(port, process=None, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process and process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port} after {seconds} s")


@contextmanager
def running(*command, port=None, output=None, **options):
    """A program that runs until the block ends; waits for its port first."""
    log = output or subprocess.DEVNULL
    process = subprocess.Popen(
        [str(part) for part in command], stdout=log, stderr=log, start_new_session=True, **options
    )
    try:
        if port:
            wait_for_port(port, process)
        share_priority(process)
        yield process
    finally:
        stop(process)


def share_priority(process):
    """Gives every thread of a program the priority of the bench, peers' and ours alike.

    A busy machine is borne with `nice -n -15 make bench …`, and libdispatch sets the threads that it makes to 0 whatever
    their process has.
    """
    value = os.getpriority(os.PRIO_PROCESS, 0)
    if value == 0:
        return
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, int(thread), value)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def scratch():
    """A directory beside the build, so on its disk, that is gone afterwards."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILT, prefix="data-") as path:
        os.chmod(path, 0o700)
        yield Path(path)


def resident_bytes(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")
