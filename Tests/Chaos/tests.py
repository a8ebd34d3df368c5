"""Tests of the chaos run's own parts: a judge that overlooks something, or a link that does not fail, proves nothing.

    python3 -m unittest discover -s Tests/Chaos -p tests.py
"""
from __future__ import annotations

import asyncio
import dataclasses
import random
import unittest

import faults
import workload
from judge import Judge, Verdict
from proxy import Link

QUERY = workload.Query(1, 0.0, "key", 99, 4, 6, "accept")


def record(call: str = "generate", first: int = 0, **changes: object) -> dict:
    """A faultless call of QUERY from token `first` on."""
    whole = {
        "query": 1, "call": call, "from": first, "seen": 0, "began": 0.0, "ended": 1.0, "end": ["OK", "NONE"],
        "events": [
            ["accepted", "id", "accept"], ["started", 1],
            ["tokens", first, 6 - first, workload.text(99, first, 6 - first)], ["finished", 6],
        ],
    }
    return whole | changes


def accepted(identifier: str = "id", level: str = "accept") -> dict:
    return {"query": 1, "accepted": identifier, "level": level, "duplicate": False, "at": 0.5}


def with_events(*events: list, end: list | None = None) -> dict:
    return record(events=[["accepted", "id", "accept"], *events], end=end)


def judged(*records: dict, audit: tuple[dict, ...] = (), query: workload.Query = QUERY) -> Verdict:
    judge = Judge([query])
    judge.add(records)
    judge.add_audit(audit)
    return judge.judge()


def tokens(first: int, count: int) -> list:
    return ["tokens", first, count, workload.text(99, first, count)]


class TheJudge(unittest.TestCase):
    def test_finds_nothing_wrong_with_an_undisturbed_query(self) -> None:
        verdict = judged(accepted(), record(), audit=(record("attach"),))
        self.assertEqual(verdict.violations, [])
        self.assertEqual((verdict.completed, verdict.audited), (1, 1))

    def test_finds_nothing_wrong_with_one_that_was_taken_up_again(self) -> None:
        cut = with_events(tokens(0, 2))
        verdict = judged(accepted(), cut, accepted(), record("attach", 2))
        self.assertEqual(verdict.violations, [])
        self.assertEqual((verdict.completed, verdict.attachments), (1, 1))

    def test_allows_a_reset_and_what_follows_it(self) -> None:
        call = with_events(tokens(0, 3), ["reset", 1], tokens(1, 5), ["finished", 6], end=["OK", "NONE"])
        self.assertEqual(judged(accepted(), call).violations, [])

    def assert_broken(self, verdict: Verdict, words: str) -> None:
        self.assertTrue(any(words in what for what in verdict.violations), (words, verdict.violations))

    def test_misses_no_lost_query(self) -> None:
        verdict = judged(accepted(), with_events(tokens(0, 2)))
        self.assertEqual(verdict.lost, 1)
        self.assert_broken(verdict, "never ended")
        self.assertEqual(judged(accepted(), record(end=["NOT_FOUND", "UNKNOWN_QUERY"])).lost, 1)

    def test_misses_no_repeated_token(self) -> None:
        call = with_events(tokens(0, 3), tokens(2, 4), ["finished", 6], end=["OK", "NONE"])
        verdict = judged(accepted(), call)
        self.assertEqual(verdict.duplicated_tokens, 1)
        self.assert_broken(verdict, "tokens from 2 on where 3 was next")

    def test_misses_no_gap_and_no_short_answer(self) -> None:
        gap = with_events(tokens(0, 2), tokens(3, 3), ["finished", 6], end=["OK", "NONE"])
        self.assertEqual(judged(accepted(), gap).missing_tokens, 1)
        short = with_events(tokens(0, 4), ["finished", 4], end=["OK", "NONE"])
        self.assertEqual(judged(accepted(), short).missing_tokens, 2)
        self.assert_broken(judged(accepted(), with_events(tokens(0, 6), end=["OK", "NONE"])), "without Finished")

    def test_misses_no_foreign_text(self) -> None:
        foreign = dataclasses.replace(QUERY, seed=100)
        verdict = judged(accepted(), record(), query=foreign)
        self.assertEqual(verdict.wrong_texts, 1)

    def test_misses_no_second_run_of_one_key(self) -> None:
        verdict = judged(accepted("one"), with_events(tokens(0, 1)), accepted("two"), record())
        self.assertEqual(verdict.ran_twice, 1)
        # A volatile query may run again under its key: nobody promised to remember it.
        again = (accepted("one", "volatile"), accepted("two", "volatile"), record())
        self.assertEqual(judged(*again).ran_twice, 0)

    def test_misses_no_second_end(self) -> None:
        verdict = judged(accepted(), record(), with_events(end=["UNAVAILABLE", "ATTEMPTS_EXHAUSTED"]))
        self.assertEqual(verdict.changed_ends, 1)
        afterwards = with_events(end=["UNAVAILABLE", "POISONOUS"])
        self.assertEqual(judged(accepted(), record(), audit=(afterwards,)).changed_ends, 1)

    def test_misses_no_result_that_changed_or_was_forgotten(self) -> None:
        short = record("attach", events=[["accepted", "id", "accept"], tokens(0, 3), ["finished", 3]])
        self.assert_broken(judged(accepted(), record(), audit=(short,)), "finished with 3")
        forgotten = record("attach", events=[], end=["NOT_FOUND", "UNKNOWN_QUERY"])
        self.assertEqual(judged(accepted(), record(), audit=(forgotten,)).changed_ends, 1)
        acknowledgement = {"query": 1, "acknowledged": "id"}
        self.assertEqual(judged(accepted(), record(), acknowledgement, audit=(forgotten,)).violations, [])

    def test_misses_no_query_that_nobody_answered(self) -> None:
        self.assertEqual(judged(record(events=[], end=None)).unanswered, 1)

    def test_counts_a_failed_query_as_ended(self) -> None:
        verdict = judged(accepted(), with_events(end=["UNAVAILABLE", "POISONOUS"]))
        self.assertEqual((verdict.failed, verdict.violations), (1, []))


class TheWorkload(unittest.TestCase):
    def test_is_the_same_for_the_same_seed(self) -> None:
        first, again = (workload.queries(5, {"a": 1.0, "b": 2.0}, 50, 10) for _ in range(2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, workload.queries(6, {"a": 1.0, "b": 2.0}, 50, 10))
        keys = [query.key for queries in first.values() for query in queries]
        self.assertEqual(len(keys), len(set(keys)))

    def test_text_does_not_depend_on_how_it_is_cut(self) -> None:
        self.assertEqual(workload.text(7, 0, 9), workload.text(7, 0, 4) + workload.text(7, 4, 5))


class TheSchedule(unittest.TestCase):
    processes = ["broker", "scheduler-1", "worker-1", "worker-2", "gateway-1", "client-python"]

    def test_is_the_same_for_the_same_seed_and_hits_everybody(self) -> None:
        plan = faults.schedule(3, self.processes, ["worker-1"], 5, 600, 1.0)
        self.assertEqual(plan, faults.schedule(3, self.processes, ["worker-1"], 5, 600, 1.0))
        hit = {fault.target for fault in plan}
        self.assertEqual(hit, {*self.processes, "link:worker-1", "all"})
        self.assertEqual({fault.kind for fault in plan} >= {kind for kind, *_ in faults.PROCESS_KINDS}, True)

    def test_never_strikes_who_is_still_down(self) -> None:
        until: dict[str, float] = {}
        for fault in faults.schedule(4, self.processes, ["worker-1"], 5, 600, 0.2):
            self.assertGreaterEqual(fault.at, until.get(fault.target, 0.0))
            until[fault.target] = fault.at + fault.seconds


class TheLink(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while data := await reader.read(1000):
                    writer.write(data)
            except OSError:
                pass
            writer.close()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.tasks.append(asyncio.create_task(echo(reader, writer)))

        self.tasks: list[asyncio.Task[None]] = []
        self.server = await asyncio.start_server(begin, "127.0.0.1", 0)
        self.link = Link(self.server.sockets[0].getsockname()[1])
        await self.link.listen()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.link.port)

    async def asyncTearDown(self) -> None:
        self.writer.close()
        await self.link.close()
        self.server.close()
        await asyncio.gather(*self.tasks)

    async def echoes(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await asyncio.wait_for(self.reader.readexactly(len(data)), 10)

    async def test_forwards(self) -> None:
        self.assertEqual(await self.echoes(b"hello"), b"hello")

    async def test_holds_each_direction_and_delivers_late(self) -> None:
        for up, down in ((True, False), (False, True), (True, True)):
            self.assertEqual(await self.echoes(b"before"), b"before")
            self.link.hold(up, down)
            self.writer.write(b"during")
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(self.reader.readexactly(6), 0.1)
            self.link.heal()
            self.assertEqual(await asyncio.wait_for(self.reader.readexactly(6), 10), b"during")

    async def test_resets_in_the_middle(self) -> None:
        self.assertEqual(await self.echoes(b"before"), b"before")
        self.link.cut(random.Random(1))
        self.writer.write(b"x" * 1000)
        with self.assertRaises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(self.reader.readexactly(1000), 10)


if __name__ == "__main__":
    unittest.main()
