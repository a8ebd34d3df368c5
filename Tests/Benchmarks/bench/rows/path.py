"""The whole path over real sockets: client, broker, scheduler, worker, and back; beside what libzmq and gRPC can do."""

from contextlib import ExitStack, contextmanager
from statistics import median

from finding import Finding, alternate, skip
from programs import BUILT, PEERS, Missing, compile_c, compile_load, free_ports, measure, need, run as run_program, running
from service import up

IN_FLIGHT = 64
BYTES = 64


def run(bench):
    load = compile_load()
    seconds = 3 if bench.is_long else 1
    with ExitStack() as stack:
        service = {policy: stack.enter_context(up(policy=policy)) for policy in ("jsq", "aladdin")}
        bare = stack.enter_context(bare_broker())

        def queries(endpoint):
            return measure(load, endpoint, 1, IN_FLIGHT, seconds, BYTES, "volatile")["per_s"]

        for policy, each in service.items():
            pairs = alternate(bench.pairs, lambda: queries(each.frontend), lambda: queries(bare))
            yield finding(f"{policy}, volatile, {BYTES} B, {IN_FLIGHT} in flight: bare C broker on libzmq", pairs, 0.25 if policy == "jsq" else None)
        try:
            grpc = stack.enter_context(grpc_server())
        except Missing as missing:
            yield skip("path", "gRPC C++", str(missing))
            return

        def calls(kind):
            return measure(BUILT / "grpc/load", grpc, kind, IN_FLIGHT, seconds, BYTES)["per_s"]

        for kind, target in (("unary", 3), ("stream", None)):
            pairs = alternate(bench.pairs, lambda: queries(service["jsq"].frontend), lambda: calls(kind))
            name = "unary" if kind == "unary" else "server streaming, four messages a call"
            yield finding(f"jsq, volatile, {BYTES} B, {IN_FLIGHT} in flight: gRPC C++ {name}", pairs, target)
        # What is left of the aim for who does anything at all between two sockets of libzmq.
        pairs = alternate(bench.pairs, lambda: queries(bare), lambda: calls("unary"))
        yield finding(f"the bare C broker itself, {BYTES} B, {IN_FLIGHT} in flight: gRPC C++ unary", pairs, None)


def finding(what, pairs, target):
    return Finding(
        "path", what, "×", pairs.ratios, target=target, ours=median(pairs.ours), theirs=median(pairs.theirs),
        rate_unit="queries/s",
    )


@contextmanager
def bare_broker():
    router = compile_c("router", "-lzmq")
    front, back = free_ports(2)
    with running(router, "broker", f"tcp://127.0.0.1:{front}", f"tcp://127.0.0.1:{back}", port=front):
        with running(router, "worker", f"tcp://127.0.0.1:{back}"):
            yield f"tcp://127.0.0.1:{front}"


@contextmanager
def grpc_server():
    build_grpc()
    (port,) = free_ports(1)
    with running(BUILT / "grpc/server", f"127.0.0.1:{port}", port=port):
        yield f"127.0.0.1:{port}"


def build_grpc():
    need("protoc", "grpc_cpp_plugin", "g++", "pkg-config")
    place = BUILT / "grpc"
    sources = PEERS / "grpc"
    newest = max(file.stat().st_mtime for file in sources.iterdir())
    if (place / "load").exists() and (place / "load").stat().st_mtime > newest:
        return
    place.mkdir(parents=True, exist_ok=True)
    run_program(
        "protoc", "-I", sources, f"--cpp_out={place}", f"--grpc_out={place}",
        f"--plugin=protoc-gen-grpc={run_program('which', 'grpc_cpp_plugin').strip()}", sources / "answer.proto",
    )
    libraries = run_program("pkg-config", "--libs", "grpc++").split()
    for name in ("server", "load"):
        run_program(
            "g++", "-O2", "-std=c++17", f"-I{place}", f"-I{sources}", "-o", place / name, sources / f"{name}.cc",
            place / "answer.pb.cc", place / "answer.grpc.pb.cc", *libraries, "-lprotobuf", "-lpthread",
            "-labsl_synchronization",
        )
