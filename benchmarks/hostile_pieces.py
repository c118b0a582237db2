"""How hostile bodies are made: pieces of JSON again and again, asked or answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.decoding_parts import Parts

HostileKind = Callable[[int], Parts]
"""An exchange with a body of about so many bytes."""
ANSWER = b'{"y": 1}'


def asked(body: bytes, media_type: str = "application/json", path: str = "/predict", **headers: str) -> Parts:
    """An exchange with *body* as its request."""
    return Parts(path, body, ANSWER, headers={"content-type": media_type, **_written(headers)})


def answered(body: bytes, media_type: str = "application/json", path: str = "/predict", request: bytes = b"") -> Parts:
    """An exchange with *body* as its answer."""
    return Parts(path, request or b'{"x": 1}', body, answer_headers={"content-type": media_type})


def _written(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def filled(size: int, head: bytes, piece: bytes, tail: bytes) -> bytes:
    """*piece* again and again, without its last byte the last time."""
    count = max(1, (size - len(head) - len(tail)) // len(piece))
    return head + (piece * count)[:-1] + tail


def listed(piece: bytes) -> HostileKind:
    """A list of *piece* again and again."""
    return lambda size: asked(filled(size, b"[", piece + b",", b"]"))
