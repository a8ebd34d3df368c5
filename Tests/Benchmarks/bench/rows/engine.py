"""The reference engine beside llama.cpp: the same random weights of 32 bits, the same threads, a prompt and an answer.

llama.cpp comes as llama-cpp-python from PyPI, which is compiled for the machine the first time: some minutes. The short form leaves
it out unless it is there already.
"""

import os
from statistics import median

from finding import Finding, alternate, skip
from programs import BUILT, PEERS, RELEASE, Missing, measure, run as run_program

PROMPT, ANSWER = 512, 24


def run(bench):
    what = f"a prompt of {PROMPT} tokens, 500 MB of weights: llama.cpp"
    try:
        python = llamacpp(bench.is_long)
        model = random_model(python)
    except (Missing, RuntimeError) as missing:
        yield skip("engine", what, str(missing)[:200])
        return
    threads = len(os.sched_getaffinity(0))
    counts = (PROMPT, ANSWER, threads)
    ours, theirs = [], []

    def first():
        ours.append(measure(RELEASE / "ReferenceEngineBench", "--model", model, *counts))
        return ours[-1]["prefill_per_s"]

    def second():
        theirs.append(measure(python, PEERS / "llamacpp.py", model / "model.gguf", *counts))
        return theirs[-1]["prefill_per_s"]

    pairs = alternate(bench.pairs, first, second)
    same = sum(one == other for one, other in zip(ours[0]["tokens"], theirs[0]["tokens"]))
    note = f"{threads} threads; {same} of {len(ours[0]['tokens'])} greedy tokens are the same"
    yield finding(what, pairs.ratios, 0.7, pairs.ours, pairs.theirs, note)
    decodes = [[result["decode_per_s"] for result in results] for results in (ours, theirs)]
    ratios = [our / their for our, their in zip(*decodes)]
    yield finding("an answer, token by token: llama.cpp", ratios, 0.8, *decodes, "")


def finding(what, ratios, target, ours, theirs, note):
    return Finding(
        "engine", what, "×", ratios, target=target, ours=median(ours), theirs=median(theirs), rate_unit="tokens/s", note=note
    )


def llamacpp(may_build):
    """The Python that has llama.cpp and what writes its files."""
    place = BUILT / "venv" / "llama-cpp-python"
    python = place / "bin/python"
    done = place / "complete"
    if not done.exists():
        if not may_build:
            raise Missing("llama-cpp-python is built by the long form")
        run_program("python3", "-m", "venv", place)
        run_program(place / "bin/pip", "install", "--quiet", "llama-cpp-python", "gguf", timeout=1500)
        done.touch()
    return python


def random_model(python):
    place = BUILT / "random-llama"
    if not (place / "model.gguf").exists():
        run_program(python, PEERS / "random_llama.py", place)
    return place
