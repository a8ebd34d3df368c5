"""The verdict on a chaos run: what clients heard, held against what was promised."""
from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from typing import Any, Iterable

import workload

# Ends of a call that say nothing about its query; docs/protocol.md has the reasons.
CALL_ONLY = {"SHUTTING_DOWN", "JOURNAL_FAILED", "SESSION_EXPIRED", "STALE_SESSION", "TOO_MANY_SESSIONS", "AGAIN"}
FOR_GOOD = {"INVALID_ARGUMENT", "ALREADY_EXISTS", "NOT_FOUND"}


def is_end(end: list[str] | None, events: list[list[Any]]) -> bool:
    """Whether a call's end is the end of its query: a lost connection is not, nor a refusal that may be retried."""
    if end is None or end[1] in CALL_ONLY:
        return False
    heard = any(event[0] == "accepted" for event in events)
    return heard or end[0] in FOR_GOOD or end[1] == "REFUSED" or end[0] in ("OK", "FAILED", "CANCELLED")


@dataclasses.dataclass
class Verdict:
    """Counts of what happened, and every promise that was broken, in words."""

    sent: int = 0
    completed: int = 0
    failed: int = 0
    lost: int = 0
    unanswered: int = 0
    given_up: int = 0
    duplicated_tokens: int = 0
    missing_tokens: int = 0
    wrong_texts: int = 0
    ran_twice: int = 0
    changed_ends: int = 0
    resets: int = 0
    attachments: int = 0
    resubmissions: int = 0
    audited: int = 0
    failures: Counter[str] = dataclasses.field(default_factory=Counter)
    durability: Counter[str] = dataclasses.field(default_factory=Counter)
    violations: list[str] = dataclasses.field(default_factory=list)

    def broken(self, query: workload.Query, what: str) -> None:
        self.violations.append(f"query {query.number} ({query.durability}): {what}")


class Judge:
    def __init__(self, queries: Iterable[workload.Query]):
        self.queries = {query.number: query for query in queries}
        self.records: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.audits: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.verdict = Verdict(sent=len(self.queries))

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """What the clients heard during the run."""
        for record in records:
            self.records[record["query"]].append(record)

    def add_audit(self, records: Iterable[dict[str, Any]]) -> None:
        """What somebody heard who attached to kept queries afterwards."""
        for record in records:
            self.audits[record["query"]].append(record)

    def kept(self) -> dict[int, str]:
        """The queries whose client was told that they are written down: their identifiers."""
        return {
            number: record["accepted"]
            for number in self.queries
            for record in self.records[number]
            if record.get("level") in ("accept", "stream")
        }

    def judge(self) -> Verdict:
        for query in self.queries.values():
            self._judge(query)
        return self.verdict

    def _judge(self, query: workload.Query) -> None:
        records, verdict = self.records[query.number], self.verdict
        calls = [record for record in records if "call" in record]
        levels = {record["level"] for record in records if "accepted" in record}
        is_kept = bool(levels & {"accept", "stream"})
        verdict.durability["not accepted" if not levels else query.durability if is_kept else "volatile"] += 1
        verdict.attachments += sum(call["call"] == "attach" for call in calls)
        verdict.resubmissions += max(0, sum(call["call"] != "attach" for call in calls) - 1)
        names = {record["accepted"] for record in records if "accepted" in record}
        if is_kept and len(names) > 1:
            verdict.ran_twice += 1
            verdict.broken(query, f"one key, {len(names)} queries: {', '.join(sorted(names))}")
        for call in calls:
            self._check(query, call)
        ends = [tuple(call["end"]) for call in calls if is_end(call["end"], call["events"])]
        self._classify(query, ends, is_kept, bool(levels))
        if is_kept:
            self._audit(query, set(ends), any("acknowledged" in record for record in records))

    def _classify(self, query: workload.Query, ends: list[tuple[str, ...]], is_kept: bool, was_accepted: bool) -> None:
        verdict = self.verdict
        if len(set(ends)) > 1:
            verdict.changed_ends += 1
            verdict.broken(query, f"ended in more than one way: {sorted(set(ends))}")
        if not ends:
            if is_kept:
                verdict.lost += 1
                verdict.broken(query, "accepted durably, and never ended")
            elif was_accepted:
                verdict.given_up += 1  # volatile: it went with its broker or its session
            else:
                verdict.unanswered += 1
                verdict.broken(query, "was neither accepted nor refused before the run ended")
        elif ends[-1][0] == "CANCELLED" and not is_kept:
            verdict.given_up += 1
        elif ends[-1][0] == "OK":
            verdict.completed += 1
        elif ends[-1][1] == "UNKNOWN_QUERY":
            verdict.lost += 1
            verdict.broken(query, "accepted, and later unknown")
        else:
            verdict.failed += 1
            verdict.failures[" ".join(ends[-1])] += 1

    def _audit(self, query: workload.Query, ends: set[tuple[str, ...]], was_acknowledged: bool) -> None:
        for call in self.audits[query.number]:
            if "call" not in call:
                continue
            end = tuple(call["end"] or ("nothing", "heard"))
            if was_acknowledged and end[1] == "UNKNOWN_QUERY":
                continue
            self.verdict.audited += 1
            self._check(query, call)
            if ends and {reason for _, reason in ends} != {end[1]}:
                self.verdict.changed_ends += 1
                self.verdict.broken(query, f"ended with {sorted(ends)}, and says {end} when attached to afterwards")
            if not ends and end[1] == "UNKNOWN_QUERY":
                self.verdict.broken(query, "unknown when attached to afterwards")

    def _check(self, query: workload.Query, call: dict[str, Any]) -> None:
        """Tokens 0, 1, 2, … with the right text, and all of them where the end is good."""
        position, finished = call["from"], False
        for event in call["events"]:
            if event[0] == "tokens":
                _, first, count, text = event
                if first < position:
                    self.verdict.duplicated_tokens += position - first
                    self.verdict.broken(query, f"tokens from {first} on where {position} was next")
                if first > position:
                    self.verdict.missing_tokens += first - position
                    self.verdict.broken(query, f"tokens from {first} on where {position} was next")
                if text != workload.text(query.seed, first, count):
                    self.verdict.wrong_texts += 1
                    self.verdict.broken(query, f"wrong text in tokens {first} to {first + count - 1}")
                position = first + count
            elif event[0] == "reset":
                self.verdict.resets += 1
                if event[1] > position:
                    self.verdict.broken(query, f"a reset to {event[1]} beyond {position}")
                position = min(position, event[1])
            elif event[0] == "finished":
                finished = True
                if not event[1] == position == query.max_tokens:
                    self.verdict.missing_tokens += max(0, query.max_tokens - position)
                    what = f"finished with {event[1]} tokens, {position} heard of {query.max_tokens}"
                    self.verdict.broken(query, what)
        if call["end"] and call["end"][0] == "OK" and not finished:
            self.verdict.broken(query, "ended well without Finished")
