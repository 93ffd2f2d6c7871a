"""Language models on loopback: real sockets, answers as each service documents its streams, cut and delayed at will."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any

import orjson


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


class Pause(float):
    """In a script: seconds of silence."""


CUT = object()
"""In a script: the connection ends in the middle of the answer."""


class Hangup:
    """In a script, alone: the connection ends without a byte."""


Script = Callable[[Asked], Iterable[Any]]


@dataclass
class Model:
    """A running stand-in. ``script`` says what the next answers hold: bytes, Pauses, CUT; or a Refusal alone."""

    port: int = 0
    script: Script = lambda _: ()
    asked: list[Asked] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away before its answer's end."""

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, *pieces: Any) -> None:
        self.script = lambda _: pieces


@dataclass
class Refusal:
    """An answer that is no stream."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: Model

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, orjson.loads(body))
        self.model.asked.append(asked)
        pieces = iter(self.model.script(asked))
        first = next(pieces, b"")
        if isinstance(first, Hangup):
            self.close_connection = True
            return
        if isinstance(first, Refusal):
            self._refuse(first)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._write(first, pieces)
        except OSError:
            self.model.gone.set()
            self.close_connection = True

    def _write(self, first: Any, pieces: Iterator[Any]) -> None:
        for piece in chain([first], pieces):
            if piece is CUT:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            if isinstance(piece, Pause):
                self._pause(piece)
            elif piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _pause(self, seconds: float) -> None:
        """Wait, and notice when the client goes."""
        end = time.monotonic() + seconds
        self.connection.settimeout(0.01)
        try:
            while time.monotonic() < end:
                try:
                    if self.connection.recv(1) == b"":
                        raise ConnectionResetError
                except TimeoutError:
                    pass
        finally:
            self.connection.settimeout(None)

    def _refuse(self, refusal: Refusal) -> None:
        content = refusal.body if isinstance(refusal.body, bytes) else orjson.dumps(refusal.body)
        self.send_response(refusal.status)
        for name, value in {"Content-Type": "application/json", **refusal.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def language_model() -> Iterator[Model]:
    """A stand-in that serves until the end of the block."""
    model = Model()
    handler = type("Handler", (_Handler,), {"model": model})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        model.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield model
        server.shutdown()


def event(data: Any, name: str = "") -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + (data if isinstance(data, bytes) else orjson.dumps(data)) + b"\n\n"


# --- Anthropic: platform.claude.com/docs/en/build-with-claude/streaming ---


def anthropic_start(input_tokens: int = 25) -> bytes:
    usage = {"input_tokens": input_tokens, "output_tokens": 1}
    message = {
        "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-4-6-20260217",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return event({"type": "message_start", "message": message}, "message_start")


def anthropic_text(*texts: str, index: int = 0) -> Iterator[bytes]:
    start = {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
    yield event(start, "content_block_start")
    yield event({"type": "ping"}, "ping")
    for text in texts:
        delta = {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}
        yield event(delta, "content_block_delta")
    yield event({"type": "content_block_stop", "index": index}, "content_block_stop")


def anthropic_tool(id: str, name: str, *pieces: str, index: int = 1) -> Iterator[bytes]:
    block = {"type": "tool_use", "id": id, "name": name, "input": {}}
    yield event({"type": "content_block_start", "index": index, "content_block": block}, "content_block_start")
    for piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        yield event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")
    yield event({"type": "content_block_stop", "index": index}, "content_block_stop")


def anthropic_end(reason: str = "end_turn", output_tokens: int = 15) -> Iterator[bytes]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")


def anthropic_error(kind: str, message: str) -> bytes:
    return event({"type": "error", "error": {"type": kind, "message": message}}, "error")


# --- OpenAI: developers.openai.com/api/reference, chat completion chunks ---


def openai_chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1694268190,
        "model": "gpt-6.1-terra-2026-10-26",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return event(chunk)


def openai_text(*texts: str) -> Iterator[bytes]:
    yield openai_chunk({"role": "assistant", "content": ""})
    for text in texts:
        yield openai_chunk({"content": text})


def openai_tool(index: int, id: str, name: str, *pieces: str) -> Iterator[bytes]:
    function = {"name": name, "arguments": ""}
    yield openai_chunk({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})
    for piece in pieces:
        yield openai_chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def openai_end(finish: str = "stop", prompt: int = 25, completion: int = 15, cached: int = 0) -> Iterator[bytes]:
    yield openai_chunk({}, finish)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    chunk = {"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1694268190, "model": "gpt-6.1-terra"}
    yield event({**chunk, "choices": [], "usage": usage})
    yield event(b"[DONE]")


# --- OpenAI: developers.openai.com/api/reference, events of streamed responses ---


def openai_response(*output: dict[str, Any], input_tokens: int = 25, output_tokens: int = 15) -> Iterator[bytes]:
    """A whole answer of the Responses API."""
    response: dict[str, Any] = {
        "id": "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "object": "response",
        "created_at": 1741476542,
        "status": "in_progress",
        "model": "gpt-6.1-terra-2026-10-26",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }
    events: list[dict[str, Any]] = [{"type": "response.created", "response": response}]
    for index, item in enumerate(output):
        events += _openai_item(index, item)
    usage = {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }
    done = {**response, "status": "completed", "output": list(output), "usage": usage}
    events.append({"type": "response.completed", "response": done})
    for number, data in enumerate(events):
        yield event({**data, "sequence_number": number}, data["type"])


def _openai_item(index: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    place = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "function_call":
        begun = {**item, "arguments": "", "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        half = len(item["arguments"]) // 2
        for piece in (item["arguments"][:half], item["arguments"][half:]):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    else:
        yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "content": []}}
        for part in item["content"]:
            text = {"type": "response.output_text.delta", **place, "content_index": 0, "logprobs": []}
            yield {**text, "delta": part["text"]}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def openai_message(text: str, id: str = "msg_1") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": id, "status": "completed", "role": "assistant", "content": content}


def openai_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    call = {"id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", "status": "completed", **call}


# --- Gemini: ai.google.dev/api/generate-content, streamGenerateContent with alt=sse ---


def google_chunk(*parts: dict[str, Any], finish: str | None = None, prompt: int = 25, output: int = 0) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    return event({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3.8-flash"})
