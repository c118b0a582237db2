"""What a refusal was for, from the answers that frameworks give."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.refused_field import MAX_BODY_BYTES, refused_for
from dashlight.records import Exchange


def a_refusal(body: bytes, *, seen: int | None = None) -> Exchange:
    return Exchange(
        id=1,
        route="/predict",
        method="POST",
        path="/predict",
        query=b"",
        scheme="http",
        server=None,
        http_version="1.1",
        request_headers=(),
        response_headers=((b"content-type", b"application/json"),),
        status=422,
        error="",
        outcome="refused",
        started_at=0.0,
        first_byte_seconds=0.01,
        duration_seconds=0.01,
        request_bytes=0,
        response_bytes=len(body) if seen is None else seen,
        request_chunks=(),
        response_chunks=(body,),
        trace_id=1,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )


def told(answer: object) -> str:
    return next(iter(refused_for(a_refusal(json.dumps(answer).encode()))), "")


TEXT = "1 validation error for Input\n{field}\n  Field required [type={kind}, input_value='Ann', input_type=str]\n  see"


def fastapi(*loc: object, kind: str = "missing") -> object:
    return {"detail": [{"type": kind, "loc": loc, "msg": "Field required", "input": {"age": 31, "name": "Ann"}}]}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fastapi("body", "age"), "age missing"),
        (fastapi("body", "age", kind="int_parsing"), "age int_parsing"),
        (fastapi("body", "age", kind="value_error.missing"), "age missing"),
        (fastapi("body", "rows", 17, "age"), "rows[].age missing"),
        (fastapi("body", 3, "age"), "[].age missing"),
        (fastapi("query", "q"), "query.q missing"),
        (fastapi("header", "x-tenant"), "header.x-tenant missing"),
        (fastapi("body"), "body missing"),
        (fastapi("body", "größe"), "größe missing"),
        (
            {"type": "about:blank", "status": 422, "errors": [{"detail": "is required", "pointer": "#/age"}]},
            "age missing",
        ),
        ({"errors": [{"detail": "must be positive", "pointer": "#/rows/4/age"}]}, "rows[].age"),
        ({"title": "One or more", "errors": {"Age": ["The Age field is required."]}}, "Age missing"),
        ({"errors": {"json": {"age": ["Missing data for required field."]}}}, "json.age missing"),
        ({"error": TEXT.format(field="age", kind="missing")}, "age missing"),
        ({"detail": TEXT.format(field="rows.3.age", kind="int_parsing")}, "rows[].age int_parsing"),
        ({"invalid-params": [{"name": "age", "reason": "must be a positive integer"}]}, "age"),
        (
            {"status_code": 400, "detail": "Validation failed", "extra": [{"message": "Expected int", "key": "age"}]},
            "age",
        ),
    ],
    ids=[
        *("missing", "of another type", "Pydantic 1", "in a list", "a list itself", "in the query", "a header"),
        *(
            "no body",
            "not English",
            "problem",
            "problem in a list",
            "ASP.NET",
            "marshmallow",
            "text",
            "text in a list",
            "RFC 7807",
            "Litestar",
        ),
    ],
)
def test_the_first_field_is_named_with_what_was_wrong(answer: object, reason: str) -> None:
    assert told(answer) == reason


@pytest.mark.parametrize(
    "answer",
    [
        fastapi("body", "ann@example.org", kind="int_parsing"),
        fastapi("body", "Ann Example", kind="int_parsing"),
        fastapi("body", "x" * 65, kind="int_parsing"),
    ],
)
def test_what_cannot_be_a_name_is_not_told(answer: object) -> None:
    assert told(answer) == "* int_parsing"


def test_a_field_that_no_schema_declares_keeps_its_name_to_itself() -> None:
    assert told(fastapi("body", "ann_example", kind="extra_forbidden")) in {"", ()}
    assert told(fastapi("body", "rows", 1, "ann_example", kind="extra_forbidden")) == "rows[] extra_forbidden"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"\xff\xfe",
        b'{"detail": "Not this way"}',
        b'{"detail": []}',
        b'{"detail": [1]}',
        b'{"detail": [{"loc": "age"}]}',
        b'{"detail": [{"loc": []}]}',
        b'{"errors": {}}',
        b'{"errors": {"age": []}}',
        b'{"errors": {"age": 3}}',
        b"[" * 100_000,
        b'[{"loc": ["body", "age"]}]',
    ],
)
def test_an_answer_that_names_no_field_gives_no_reason(body: bytes) -> None:
    assert refused_for(a_refusal(body)) in {"", ()}


def test_an_answer_that_is_long_or_cut_is_not_read() -> None:
    body = json.dumps(fastapi("body", "age")).encode()

    assert refused_for(a_refusal(body + b" " * MAX_BODY_BYTES)) in {"", ()}
    assert refused_for(a_refusal(body, seen=len(body) + 1)) in {"", ()}


ANY = st.none() | st.integers() | st.text() | st.lists(st.text() | st.integers(), max_size=3)
KEYS = st.sampled_from(["detail", "errors", "invalid-params", "extra", "loc", "type", "pointer", "name", "key"])


@given(st.dictionaries(KEYS, ANY | st.lists(st.dictionaries(KEYS, ANY), max_size=2)))
def test_whatever_is_answered_a_reason_is_short_and_on_one_line(answer: dict[str, object]) -> None:
    reason = told(answer)

    assert len(reason) <= 140
    assert reason.isprintable()
