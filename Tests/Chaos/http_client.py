"""A client of the chaos run over HTTP: OpenAI's interface of the gateways, streamed; retries under the same key."""
from __future__ import annotations

import argparse
import http.client
import json
import signal
import threading
import time
from collections import deque
from pathlib import Path

import history
import workload

# Errors that say how the query ended, a volatile one only if its gateway or session went; with any other the same key is
# asked again.
GIVEN_UP = {"client_gone", "cancelled_by_client"}
THE_QUERYS_END = {"attempts_exhausted", "poisonous", "deadline_expired", "engine_failed"}


class Client:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.log = history.Journal(Path(options.log))
        self.waiting = deque(workload.read(Path(options.queries)))
        self.lock = threading.Lock()
        self.stops = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stops", True))
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(self.options.open)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and not self.stops:
            time.sleep(0.05)

    def work(self) -> None:
        while not self.stops:
            with self.lock:
                if not self.waiting:
                    return
                query = self.waiting.popleft()
            time.sleep(max(0.0, query.at + self.options.start - time.monotonic()))
            tries = 0
            while not self.stops and not self.ask(query, self.options.gateway[tries % len(self.options.gateway)]):
                tries += 1
                time.sleep(min(0.1 * tries, 1.0))

    def ask(self, query: workload.Query, gateway: str) -> bool:
        """One request; false if it has to be sent again."""
        call = history.Call(query.number, "http")
        end: list[str] | None = None
        connection = http.client.HTTPConnection(gateway, timeout=60)
        try:
            connection.request("POST", "/v1/completions", *self.request(query))
            response = connection.getresponse()
            identifier = response.getheader("x-aladdin-query-id")
            if identifier:
                call.events.append(["accepted", identifier, query.durability])
                self.log.accepted(query.number, identifier, query.durability, False)
            if response.status == 200:
                end = self.listen(query, call, response)
            else:
                end = self.failure(query, json.loads(response.read()), response.status)
        except (OSError, http.client.HTTPException, ValueError):
            end = None
        finally:
            connection.close()
        self.log.ended(call, end)
        return end is not None and end[1] != "AGAIN"

    def request(self, query: workload.Query) -> tuple[str, dict[str, str]]:
        body = {
            "prompt": "word" * query.prompt_tokens, "max_tokens": query.max_tokens, "seed": query.seed,
            "stream": True, "model": self.options.model, "stream_options": {"include_usage": True},
        }
        headers = {
            "content-type": "application/json", "idempotency-key": query.key,
            "x-aladdin-durability": query.durability, "x-slo-ttft-ms": "600000", "x-slo-tpot-ms": "60000",
        }
        return json.dumps(body), headers

    def listen(
        self, query: workload.Query, call: history.Call, response: http.client.HTTPResponse
    ) -> list[str] | None:
        text, outputs = "", 0
        while line := response.readline():
            if not line.startswith(b"data: "):
                continue
            data = line[len(b"data: "):].strip()
            if data == b"[DONE]":
                call.tokens(0, outputs, text)
                call.events.append(["finished", outputs])
                return ["OK", "NONE"]
            event = json.loads(data)
            if "error" in event:
                return self.failure(query, event, response.status)
            text += "".join(choice.get("text") or "" for choice in event.get("choices", []))
            outputs = (event.get("usage") or {}).get("completion_tokens", outputs)
        return None

    @staticmethod
    def failure(query: workload.Query, body: dict[str, dict[str, str]], status: int) -> list[str]:
        code = body["error"].get("code") or ""
        if code in THE_QUERYS_END:
            return ["FAILED", code.upper()]
        if code in GIVEN_UP and query.durability == "volatile":
            return ["CANCELLED", code.upper()]
        # What the request itself is refused for stays wrong; everything else may be better next time.
        return [f"{status} {code}", "REFUSED" if status in (400, 404, 422) else "AGAIN"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", action="append", required=True, help="HOST:PORT")
    parser.add_argument("--model", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--start", type=float, required=True, help="CLOCK_MONOTONIC of the run's beginning")
    parser.add_argument("--open", type=int, default=32, help="requests open at once")
    Client(parser.parse_args()).run()


if __name__ == "__main__":
    main()
