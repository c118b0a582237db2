"""`dashlight explain`: shows what a request and its response decode to, and why."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dashlight.cli.subparsers import Subparsers
from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.generation import Generation
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.redact import redact
from dashlight.decode.rows.selection import Selection
from dashlight.records import Cell, Exchange, Headers

DECODED: Final = 0
NOT_DECODED: Final = 1
USAGE: Final = 2

_SHOWN_ROWS = 5
_SHOWN_CHARACTERS = 40
_WORDS: Final[Mapping[bool | None, str]] = {None: "null", True: "true", False: "false"}
_REASONS: Final = {
    "id": "an id",
    "credential": "a credential",
    "parameter": "a parameter of the request",
    "answer": "describes the whole answer, not a row",
    "not_listed": "not among the columns to use",
    "ignored": "ignored",
}


def register(subparsers: Subparsers) -> None:
    """Add the command `explain`."""
    parser = subparsers.add_parser(
        "explain",
        help="show what a request and its response decode to",
        description="Show what a request and its response decode to: the protocol and why it was chosen, the columns and"
        " their values, and what was left out. Exit status: 0 decoded, 1 not decodable, 2 wrong usage.",
    )
    parser.add_argument("request", help="file with the body of the request")
    parser.add_argument("response", nargs="?", help="file with the body of the response")
    parser.add_argument("--path", default="/predict", help="path, with its query if there is one (%(default)s)")
    parser.add_argument("--method", default="POST", help="method (%(default)s)")
    parser.add_argument(
        "--content-type", default="", metavar="TYPE", help="of the request; unset: detected from its bytes"
    )
    parser.add_argument("--status", type=int, default=200, help="status of the response (%(default)s)")
    parser.add_argument(
        "--header", action="append", default=[], type=_header, metavar="K:V", help="header of the request"
    )
    parser.add_argument(
        "--response-header", action="append", default=[], type=_header, metavar="K:V", help="header of the response"
    )
    for name, meaning in (
        ("features", "the only features to use, like DASHLIGHT_FEATURES"),
        ("prediction", "the only outputs to use, like DASHLIGHT_PREDICTION"),
        ("ignore", "columns to ignore, like DASHLIGHT_IGNORE"),
    ):
        parser.add_argument(f"--{name}", default=(), type=_globs, metavar="A,B*", help=meaning)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the explanation; returns the exit status."""
    try:
        request = Path(arguments.request).read_bytes()
        response = Path(arguments.response).read_bytes() if arguments.response else b""
    except OSError as error:
        print(f"dashlight explain: {error.filename}: {error.strerror}", file=sys.stderr)
        return USAGE
    headers: list[tuple[bytes, bytes]] = list(arguments.header)
    if arguments.content_type:
        headers.append((b"content-type", str(arguments.content_type).encode()))
    path, _, query = str(arguments.path).partition("?")
    decoded = decode_exchange(
        _exchange(
            request,
            response,
            method=str(arguments.method).upper(),
            path=path,
            query=query.encode(),
            status=int(arguments.status),
            request_headers=headers,
            response_headers=arguments.response_header,
        ),
        selection=Selection(arguments.features, arguments.prediction, arguments.ignore),
    )
    print("\n".join(_explanation(decoded, has_response=bool(arguments.response))))
    return NOT_DECODED if decoded.undecodable or not decoded.is_prediction else DECODED


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME:VALUE")
    return (name.strip().lower().encode(), value.strip().encode())


def _globs(text: str) -> tuple[str, ...]:
    return tuple(glob.strip() for glob in text.split(",") if glob.strip())


def _exchange(
    request: bytes,
    response: bytes,
    *,
    method: str,
    path: str,
    query: bytes,
    status: int,
    request_headers: Headers,
    response_headers: Headers,
) -> Exchange:
    return Exchange(
        id=0,
        route=path,
        method=method,
        path=path,
        query=query,
        scheme="http",
        server=None,
        http_version="1.1",
        request_headers=request_headers,
        response_headers=response_headers,
        status=status,
        error="",
        outcome="ok",
        started_at=0.0,
        first_byte_seconds=None,
        duration_seconds=0.0,
        request_bytes=len(request),
        response_bytes=len(response),
        request_chunks=(request,),
        response_chunks=(response,),
        trace_id=0,
        span_id=0,
        trace_flags=0,
        own_span=None,
    )


def _explanation(decoded: Decoded, *, has_response: bool) -> Iterator[str]:
    if not decoded.is_prediction:
        yield f"not a prediction: {decoded.why}"
        return
    yield from _facts(decoded)
    if decoded.features is not None:
        yield from _table("features", decoded.features, ["feature"] * len(decoded.features.names))
    if decoded.outputs is not None:
        yield from _table("outputs", decoded.outputs, [decoded.roles[name] for name in decoded.outputs.names])
    elif decoded.error is None and not decoded.undecodable:
        yield f"outputs: none, {'the answer is empty' if has_response else 'no response was given'}"


def _facts(decoded: Decoded) -> Iterator[str]:
    because = f"because {decoded.why}" if decoded.why else "no rule matched"
    yield _fact("protocol", f"{decoded.protocol or 'none'}, {because}")
    if decoded.undecodable:
        yield _fact("undecodable", decoded.undecodable_detail)
    if decoded.rows is not None:
        yield _fact("rows", decoded.rows)
    for name, fact in (
        ("model", decoded.model),
        ("version", decoded.version),
        ("request id", decoded.request_id),
        ("row ids", ", ".join(map(str, decoded.row_ids[:_SHOWN_ROWS]))),
        ("parameters", ", ".join(f"{key}={_cell(cell)}" for key, cell in redact(decoded.params).items())),
        ("flags", ", ".join(sorted(decoded.flags))),
    ):
        if fact:
            yield _fact(name, fact)
    if decoded.generation is not None:
        yield from _generation(decoded.generation)
    if decoded.error is not None:
        where = f" in {', '.join(decoded.error.fields)}" if decoded.error.fields else ""
        yield _fact("failure", f"{decoded.error.kind}{where}: {_printable(decoded.error.detail)}")


def _generation(generation: Generation) -> Iterator[str]:
    """What is known of an exchange with a language model beyond its columns."""
    kind = generation.operation or "unknown"
    yield _fact("generation", f"{kind}, streamed" if generation.is_streamed else kind)
    counts = [
        f"{about}{count} {side}"
        for side in ("input", "output")
        for about, counted in (("", generation.usage), ("about ", generation.estimate))
        if (count := counted.get(side)) is not None and (not about or side not in generation.usage)
    ]
    for name, fact in (
        ("tokens", ", ".join(counts)),
        ("finish", ", ".join(map(_cell, generation.finish))),
        ("tool calls", ", ".join(_cell(call.name) for call in generation.tool_calls)),
        ("refusals", len(generation.refusals) or ""),
    ):
        if fact:
            yield _fact(name, fact)


def _fact(name: str, fact: object) -> str:
    return f"{name + ':':13}{fact}"


def _table(title: str, sheet: Sheet, roles: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"{title}: {_count(len(sheet.names), 'column')}, {_count(len(sheet.values), 'row')}"
    shown = [redact(dict(zip(sheet.names, row, strict=True))) for row in sheet.values[:_SHOWN_ROWS]]
    lines = [("column", "role", "type", "values")]
    for name, role in zip(sheet.names, roles, strict=True):
        kinds = sorted({_kind(row[sheet.names.index(name)]) for row in sheet.values} - {"null"}) or ["null"]
        values = [_cell(row[name]) for row in shown]
        if len(sheet.values) > len(shown):
            values.append("...")
        lines.append((_printable(name), role, " or ".join(kinds), "  ".join(values)))
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    for line in lines:
        yield "  " + "  ".join(part.ljust(width) for part, width in zip(line, [*widths, 0], strict=True)).rstrip()
    for name, reason in sheet.left_out.items():
        yield f"  left out: {_printable(name)} ({_REASONS[reason]})"
    if sheet.dropped_count:
        yield f"  left out: {_count(sheet.dropped_count, 'column or row', 'columns and rows')} beyond the limits"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _kind(cell: Cell) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "truth"
    if isinstance(cell, int | float):
        return "number"
    return "text" if isinstance(cell, str) else "list" if is_list(cell) else "object"


def _cell(cell: Cell) -> str:
    if is_list(cell):
        return f"list of {len(cell)}"
    text = _printable(_WORDS[cell] if cell is None or isinstance(cell, bool) else str(cell))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def _printable(text: str) -> str:
    # What comes from a body must not move the cursor of a terminal.
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
