"""What a refusal was for, from the answers that frameworks give."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.refused_field import MAX_BODY_BYTES, name_of_missing, refused_for
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
    return next(iter(told_all(answer)), "")


def told_all(answer: object) -> tuple[str, ...]:
    return refused_for(a_refusal(json.dumps(answer).encode()))


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
    ("answer", "reasons"),
    [
        (
            {"detail": [{"type": "missing", "loc": ["body", name], "msg": "x"} for name in ("age", "city", "age")]},
            ("age missing", "city missing"),
        ),
        ({"age": ["This field is required."], "x": ["A valid number is required."]}, ("age missing", "x")),
        ({"customer": {"age": ["This field is required."]}}, ("customer.age missing",)),
        ({"json": {"age": ["Missing data."], "x": ["No integer."]}}, ("json.age missing", "json.x")),
        ({"messages": {"json": {"age": ["Missing data."]}}, "status": 422}, ("json.age missing",)),
        ({"errors": {"age": ["is required"], "rows.0.x": ["no"]}, "message": "no"}, ("age missing", "rows[].x")),
        (
            {
                "success": False,
                "error": {
                    "name": "ZodError",
                    "issues": [
                        {"code": "invalid_type", "path": ["age"], "message": "Required"},
                        {"code": "too_small", "path": ["rows", 3, "x"], "message": "no"},
                    ],
                },
            },
            ("age invalid_type", "rows[].x too_small"),
        ),
        ({"error": {"formErrors": [], "fieldErrors": {"age": ["Required"], "x": ["no"]}}}, ("age missing", "x")),
        ({"errors": [{"type": "field", "msg": "no", "path": "age", "location": "body"}]}, ("age",)),
        ({"errors": [{"msg": "no", "param": "age", "location": "query"}, {"msg": "no", "param": "x"}]}, ("age", "x")),
        ({"errors": [{"instancePath": "/age", "keyword": "type", "message": "no integer"}]}, ("age type",)),
        ({"fieldErrors": [{"field": "age", "defaultMessage": "not null", "code": "NotNull"}]}, ("age NotNull",)),
        (
            {"error": {"code": 400, "message": "no", "details": [{"fieldViolations": [{"field": "age", "description": "missing"}]}]}},
            ("age missing",),
        ),
        ({"error": {"message": "no", "type": "invalid_request", "param": "top_p"}}, ("top_p invalid_request",)),
        ({"error": "unexpected shape for input 'x' for model 'm'. Expected [1], got [2]"}, ("x",)),
        ({"error": "INVALID_ARGUMENT: JSON object: does not have named input: age"}, ("age missing",)),
        ({"error_code": "BAD_REQUEST", "message": "Model is missing inputs ['age', 'x']."}, ("age missing", "x missing")),
        ({"message": "Incompatible input types for column age. Can not convert object to float64."}, ("age",)),
        ({"detail": "Feature names seen at fit time, yet now missing:\n- age\n- x\n"}, ("age missing", "x missing")),
        ({"error": "1 validation error for R\ninputs -> 0 -> x\n  field required (type=value_error.missing)"}, ("inputs[].x missing",)),
        ({"error": "'inputs' is missing"}, ("inputs missing",)),
        ({"error": TEXT.format(field="age", kind="missing") + "\nx\n  No [type=int_type, input_value=1]"}, ("age missing", "x int_type")),
        ({"errors": [{"detail": "no", "pointer": f"/f{at}"} for at in range(20)]}, tuple(f"f{at}" for at in range(8))),
        ({"error": {"message": "no", "code": "x", "name": "y"}}, ()),
        ({"non_field_errors": ["no"]}, ()),
        ({"message": ["no"], "error": "Bad Request"}, ()),
    ],
    ids=[
        *("several", "Django REST", "nested Django REST", "webargs", "flask-smorest", "Laravel", "zod", "flattened zod"),
        *("express-validator", "older express-validator", "ajv", "Spring", "Google", "OpenAI", "Triton"),
        *("TensorFlow Serving", "MLflow", "MLflow's types", "scikit-learn", "MLServer", "KServe", "text of several"),
        *("more than are told", "an error that names none", "no field", "texts"),
    ],
)  # fmt: skip
def test_every_field_is_named_in_the_layouts_of_many_frameworks(answer: object, reasons: tuple[str, ...]) -> None:
    assert told_all(answer) == reasons


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
    assert told(fastapi("body", "ann_example", kind="extra_forbidden")) == ""
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
    assert refused_for(a_refusal(body)) == ()


def test_an_answer_that_is_long_or_cut_is_not_read() -> None:
    body = json.dumps(fastapi("body", "age")).encode()

    assert refused_for(a_refusal(body + b" " * MAX_BODY_BYTES)) == ()
    assert refused_for(a_refusal(body, seen=len(body) + 1)) == ()


ANY = st.none() | st.integers() | st.text() | st.lists(st.text() | st.integers(), max_size=3)
KEYS = st.sampled_from(["detail", "errors", "invalid-params", "extra", "loc", "type", "pointer", "name", "key"])


@given(st.dictionaries(KEYS, ANY | st.lists(st.dictionaries(KEYS, ANY), max_size=2)))
def test_whatever_is_answered_a_reason_is_short_and_on_one_line(answer: dict[str, object]) -> None:
    reason = told(answer)

    assert len(reason) <= 140
    assert reason.isprintable()


def test_a_field_that_a_client_may_have_made_up_is_another_field() -> None:
    refusal = a_refusal(json.dumps(fastapi("body", "scores", "Kunigunde", kind="float_parsing")).encode())

    assert refused_for(refusal, {"age"}) == ("another_field float_parsing",)
    assert refused_for(refusal, {"Kunigunde"}) == ("scores.Kunigunde float_parsing",)


def test_a_field_that_is_missing_is_one_that_the_app_asks_for() -> None:
    refusal = a_refusal(json.dumps(fastapi("body", "rows", 0, "age")).encode())

    assert refused_for(refusal, set()) == ("rows[].age missing",)
    assert name_of_missing("rows[].age missing") == "age"
    assert name_of_missing("age int_parsing") == ""


@pytest.mark.parametrize(
    ("sentences", "reasons"),
    [
        (["age must be a number conforming to the specified constraints", "name should not be empty"], ("age", "name")),
        (["rows.3.age must be an integer number", "each value in tags must be a string"], ("rows[].age", "tags")),
        (["property Ann Smith should not exist", "property hack should not exist"], ()),
        (["Something went wrong", 7, None, "ann@mail.com must be a number"], ()),
    ],
    ids=["NestJS", "nested", "fields that no schema declares", "others"],
)
def test_sentences_in_a_list_name_the_field_that_they_begin_with(
    sentences: list[object], reasons: tuple[str, ...]
) -> None:
    assert told_all({"statusCode": 400, "message": sentences, "error": "Bad Request"}) == reasons


def test_a_sentence_alone_names_no_field() -> None:
    assert told_all({"message": "You must log in"}) == ()
