"""A session with the broker, written from docs/protocol.md alone: HELLO, PING and PONG, streams by number."""
from __future__ import annotations

import struct
import time
from typing import Any, Iterator

import zmq
from aladdin.v1 import frontend_pb2 as api, session_pb2 as wire, status_pb2

HEADER = struct.Struct("<3sBBBHQQII")


class Session:
    """One connection and its session; start over with a new one when `is_over`."""

    def __init__(self, endpoint: str, name: str, is_slow: bool = False, patience: float = 5.0):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 200
        if is_slow:
            # What it does not read waits at the broker, not here.
            self.socket.rcvhwm, self.socket.rcvbuf = 8, 4096
        self.socket.connect(endpoint)
        self.number = 0
        self.timeout = self.patience = patience
        self.heard = self.sent = time.monotonic()
        self.next_stream = 1
        self.why_over = ""
        self._send(wire.FRAME_HELLO, wire.Hello(software="chaos/1", name=name))

    @property
    def is_open(self) -> bool:
        return self.number > 0 and not self.why_over

    @property
    def is_over(self) -> bool:
        if not self.why_over and time.monotonic() - self.heard > self.timeout:
            self.why_over = "silence"
        return bool(self.why_over)

    def call(self, method: int, request: Any) -> int:
        """Opens a stream and returns its number."""
        stream = self.next_stream
        self.next_stream += 1
        self._send(wire.FRAME_CALL, request, method, stream)
        return stream

    def frames(self, wait_ms: int, limit: int = 2000) -> Iterator[tuple[int, int, int, bytes]]:
        """Frames of streams as (kind, method, stream, body); those of the session are answered here."""
        if self.is_open and time.monotonic() - self.sent > 1:
            self._send(wire.FRAME_PING)
        if not self.socket.poll(wait_ms):
            return
        for _ in range(limit):
            try:
                header, body = (self.socket.recv_multipart(zmq.DONTWAIT) + [b""])[:2]
            except zmq.Again:
                return
            self.heard = time.monotonic()
            _, _, _, kind, method, _, stream, _, _ = HEADER.unpack(header[:32])
            if kind == wire.FRAME_WELCOME:
                welcome = wire.Welcome.FromString(body)
                self.number, self.timeout = welcome.session, min(welcome.session_timeout_ms / 1000, self.patience * 2)
            elif kind == wire.FRAME_PING:
                self._send(wire.FRAME_PONG)
            elif kind in (wire.FRAME_ERROR, wire.FRAME_GOODBYE):
                self.why_over = status_pb2.Status.FromString(body).message or "goodbye"
                return
            else:
                yield kind, method, stream, body

    def close(self) -> None:
        if self.is_open:
            self._send(wire.FRAME_GOODBYE, status_pb2.Status())
        self.socket.close()

    def _send(self, kind: int, message: Any = None, method: int = 0, stream: int = 0) -> None:
        body = message.SerializeToString() if message is not None else b""
        self.sent = time.monotonic()
        header = HEADER.pack(b"ALD", 1, 0, kind, method, self.number, stream, len(body), 0)
        try:
            self.socket.send_multipart([header, body], zmq.DONTWAIT)
        except zmq.Again:
            self.why_over = self.why_over or "nothing can be sent"


def generate_request(query: Any, ttft_ms: float = 600_000, tpot_ms: float = 60_000) -> api.GenerateRequest:
    request = api.GenerateRequest(text="word" * query.prompt_tokens, max_tokens=query.max_tokens)
    request.sampling.seed.value = query.seed
    for key, value in (
        ("idempotency-key", query.key),
        ("x-aladdin-durability", query.durability),
        ("x-slo-ttft-ms", f"{ttft_ms:g}"),
        ("x-slo-tpot-ms", f"{tpot_ms:g}"),
    ):
        request.metadata.add(key=key, value=value)
    return request


def reason_name(status: status_pb2.Status) -> str:
    known = status_pb2.Reason.values()
    return status_pb2.Reason.Name(status.reason)[len("REASON_"):] if status.reason in known else str(status.reason)


def code_name(status: status_pb2.Status) -> str:
    return status_pb2.StatusCode.Name(status.code)[len("STATUS_"):]
