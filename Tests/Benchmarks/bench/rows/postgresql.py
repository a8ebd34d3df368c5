"""The whole path with its journal in PostgreSQL, beside the same with SQLite, and beside plain inserts into the same server.

A query is two commits one after the other, its acceptance and its end; a plain insert is one.
"""

import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from finding import Finding, alternate
from programs import ROOT, Missing, compile_c, measure, need, run as run_program, scratch
from service import up

CLIENTS = 50
BYTES = 64


def run(bench):
    load = compile_c("clients")
    seconds = 4 if bench.is_long else 1
    with ExitStack() as stack:
        database = stack.enter_context(server())
        place = stack.enter_context(scratch())
        with up(policy="jsq", database=f"postgres://aladdin@{database.replace('/', '%2F')}/journals") as ours:
            latencies = []

            def queries():
                result = measure(load, ours.frontend, CLIENTS, seconds, BYTES, "accept")
                latencies.append(result["p99_us"] / 1000)
                return result["per_s"]

            with up(policy="jsq", journal=place / "journal") as theirs:
                pairs = alternate(
                    bench.pairs, queries,
                    lambda: measure(load, theirs.frontend, CLIENTS, seconds, BYTES, "accept")["per_s"],
                )
            yield finding("the same with the journal in SQLite", pairs)
            pairs = alternate(bench.pairs, queries, lambda: inserts(database, seconds))
            yield finding("pgbench, one INSERT of 64 B a transaction", pairs)
        yield Finding(
            "postgresql", f"{CLIENTS} clients: p99 from question to answer", "ms", latencies, more_is_better=False
        )


def finding(peer, pairs):
    return Finding(
        "postgresql", f"jsq, accept, {BYTES} B, {CLIENTS} clients, journal in PostgreSQL: {peer}", "×", pairs.ratios,
        ours=median(pairs.ours), theirs=median(pairs.theirs), rate_unit="queries/s",
    )


@contextmanager
def server():
    """A server that syncs, as operators have it; yields the directory of its socket."""
    need("pgbench", "psql")
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not binaries:
        raise Missing("PostgreSQL's server is not installed")
    directory = tempfile.mkdtemp(prefix="aladdin-bench-", dir="/tmp")
    process = subprocess.Popen(
        [ROOT / "Tests/PostgreSQLServer/supervise", directory, binaries[-1].parent, "fsync = on"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        if process.stdout.readline().strip() != "ready":
            raise Missing("PostgreSQL does not start")
        psql = ["psql", "-h", directory, "-U", "aladdin", "-d", "journals", "-qc"]
        run_program(*psql, "CREATE TABLE plain (number bigserial PRIMARY KEY, query bytea NOT NULL)")
        yield directory
    finally:
        process.stdin.close()
        process.wait(20)
        shutil.rmtree(directory, ignore_errors=True)


def inserts(directory, seconds):
    """Transactions a second of as many clients, each waiting for its own."""
    script = Path(directory) / "insert.sql"
    if not script.exists():
        script.write_text(f"INSERT INTO plain (query) VALUES ('{'a' * BYTES}');\n")
    output = run_program(
        "pgbench", "-h", directory, "-U", "aladdin", "-n", "-M", "prepared", "-c", CLIENTS, "-j", 2, "-T", seconds,
        "-f", script, "journals",
    )
    return next(float(line.split()[2]) for line in output.splitlines() if line.startswith("tps"))
