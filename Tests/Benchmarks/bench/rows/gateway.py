"""The gateway beside other routers with the same engine behind each: added latency, requests a second, large prompts.

The engine is an HTTP server with OpenAI's interface that answers at once. Aladdin has it as an upstream worker. The peers
come from PyPI; one that can't be had is left out, and said so.
"""

from contextlib import ExitStack, contextmanager
from statistics import median

from finding import Finding, alternate, skip
from programs import BUILT, Missing, compile_c, free_ports, measure, run as run_program, running, share_priority
from service import endpoints, flags, wait_until_ready, ALADDIN

SMALL = 64
LARGE = 200 << 10


def run(bench):
    load = compile_c("http_load")
    engine = compile_c("http_engine", "-lpthread")
    seconds = 2 if bench.is_long else 1
    with ExitStack() as stack:
        (port,) = free_ports(1)
        stack.enter_context(running(engine, port, port=port))
        ours = stack.enter_context(gateway(port))
        for name, start in PEERS.items():
            if not bench.is_long and name not in ("vllm-router",):
                continue
            try:
                theirs = stack.enter_context(start(port))
            except Exception as error:  # whatever goes wrong with a peer must not end the run
                yield skip("gateway", name, f"{error}"[:200])
                continue
            yield from compare(bench, load, seconds, name, ours, theirs)


def compare(bench, load, seconds, name, ours, theirs):
    for what, clients, size, streams, key, target in (
        ("1 client: p50 of the latency", 1, SMALL, 0, "p50_us", 1.0),
        ("16 clients: requests a second", 16, SMALL, 0, "per_s", 1.0),
        ("256 clients: requests a second", 256, SMALL, 0, "per_s", None),
        ("16 clients, streaming: requests a second", 16, SMALL, 1, "per_s", None),
        ("16 clients, 200 KB prompts: requests a second", 16, LARGE, 0, "per_s", 1.5),
    ):
        def figure(port):
            return measure(load, port, clients, size, streams, seconds)[key]

        pairs = alternate(bench.pairs, lambda: figure(ours), lambda: figure(theirs))
        is_rust = name != "litellm"
        yield Finding(
            "gateway", f"{what}: {name}", "×", pairs.ratios, target=target if is_rust else None,
            more_is_better=key == "per_s", ours=median(pairs.ours), theirs=median(pairs.theirs),
            rate_unit="µs" if key == "p50_us" else "/s",
        )


@contextmanager
def gateway(engine):
    addresses = endpoints()
    (http,) = free_ports(1)
    command = [
        ALADDIN, "up", "--engine", "upstream", "--upstream", f"http://127.0.0.1:{engine}", "--journal", "none",
        "--policy", "jsq", "--http", f"127.0.0.1:{http}", "--log-level", "error", *flags(addresses, *addresses),
    ]
    with running(*command, port=http) as process:
        wait_until_ready(f"http://127.0.0.1:{http}/ready")
        share_priority(process)
        yield http


def installed(package, program):
    """A program of a package from PyPI, in an environment of its own."""
    place = BUILT / "venv" / package
    if not (place / "bin" / program).exists():
        run_program("python3", "-m", "venv", place)
        try:
            run_program(place / "bin/pip", "install", "--quiet", package, timeout=600)
        except RuntimeError as error:
            raise Missing(f"pip install {package}: {error}") from error
    if not (place / "bin" / program).exists():
        raise Missing(f"{package} has no program {program}")
    return place / "bin" / program


@contextmanager
def vllm_router(engine):
    (port, metrics) = free_ports(2)
    program = installed("vllm-router", "vllm-router")
    with running(
        program, "--worker-urls", f"http://127.0.0.1:{engine}", "--host", "127.0.0.1", "--port", port,
        "--prometheus-port", metrics, "--policy", "round_robin", port=port,
    ):
        yield port


@contextmanager
def sglang_router(engine):
    (port, metrics) = free_ports(2)
    installed("sglang-router", "python")
    python = BUILT / "venv/sglang-router/bin/python"
    with running(
        python, "-m", "sglang_router.launch_router", "--worker-urls", f"http://127.0.0.1:{engine}", "--host",
        "127.0.0.1", "--port", port, "--prometheus-port", metrics, "--policy", "round_robin", port=port,
    ):
        yield port


@contextmanager
def litellm(engine):
    (port,) = free_ports(1)
    program = installed("litellm[proxy]", "litellm")
    configuration = BUILT / "litellm.yaml"
    configuration.write_text(
        "model_list:\n- model_name: mock\n  litellm_params:\n    model: openai/mock\n"
        f"    api_base: http://127.0.0.1:{engine}/v1\n    api_key: none\n"
        "general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n"  # as the others are asked, without a key
    )
    with running(program, "--config", configuration, "--host", "127.0.0.1", "--port", port) as process:
        from programs import wait_for_port

        wait_for_port(port, process, seconds=60)
        yield port


PEERS = {"vllm-router": vllm_router, "sglang-router": sglang_router, "litellm": litellm}
