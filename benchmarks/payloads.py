"""The decoder as the scorer of a payload corpus calls it: one request and its response as dictionaries.

Run it with the corpus' own scorer:

    PYTHONPATH=benchmarks python SCORER CORPUS payloads:decode -v
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.generation import Generation
from dashlight.records import Exchange, Headers


def decode(request: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """What Dashlight makes of one pair.

    Args:
        request: method, path, query, headers, body.
        response: status, headers, body.
    """
    decoded = decode_exchange(_exchange(request, response))
    return {
        "protocol": decoded.protocol,
        "rows": decoded.rows,
        "features": _table(decoded.features),
        "predictions": _table(decoded.outputs),
        "roles": dict(decoded.roles),
        "model": decoded.model or None,
        "version": decoded.version or None,
        "request_id": decoded.request_id or None,
        "row_ids": list(decoded.row_ids) or None,
        "params": dict(decoded.params) or None,
        "error": None if decoded.error is None else _failure(asdict(decoded.error)),
        "llm": None if decoded.generation is None else _llm(decoded.generation),
        "undecodable": decoded.undecodable or None,
        "flags": sorted(decoded.flags),
    }


def _exchange(request: Mapping[str, Any], response: Mapping[str, Any]) -> Exchange:
    asked, answered = bytes(request["body"]), bytes(response["body"])
    return Exchange(
        id=1,
        route=request["path"],
        method=request["method"],
        path=request["path"],
        query=request["query"].encode(),
        scheme="http",
        server=None,
        http_version="1.1",
        request_headers=_headers(request["headers"]),
        response_headers=_headers(response["headers"]),
        status=response["status"],
        error="",
        outcome="ok",
        started_at=0.0,
        first_byte_seconds=None,
        duration_seconds=0.0,
        request_bytes=len(asked),
        response_bytes=len(answered),
        request_chunks=(asked,) if asked else (),
        response_chunks=(answered,) if answered else (),
        trace_id=0,
        span_id=0,
        trace_flags=0,
        own_span=None,
    )


def _headers(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _table(sheet: Sheet | None) -> dict[str, Any] | None:
    if sheet is None:
        return None
    return {"columns": list(sheet.names), "values": [list(row) for row in sheet.values]}


def _llm(generation: Generation) -> dict[str, Any]:
    return {
        "input_text": generation.input_text,
        "output_text": generation.output_text,
        "finish": list(generation.finish),
        "tool_calls": [{"name": call.name, "arguments": call.arguments} for call in generation.tool_calls],
        # What the server counted; our own count stands apart.
        "usage": dict(generation.usage) or None,
        "approximate_usage": dict(generation.estimate) or None,
        "streamed": generation.is_streamed,
        "images": generation.images,
        "refusals": list(generation.refusals),
    }


def _failure(failure: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in failure.items()}
