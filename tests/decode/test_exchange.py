import gzip
from collections.abc import Callable

import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.number_texts import numbers_of_text
from dashlight.records import Exchange

Make = Callable[..., Exchange]
NO_TYPE: dict[str, str] = {}


def test_an_exchange_of_plain_json_is_decoded(exchange: Make) -> None:
    decoded = decode_exchange(
        exchange({"order_id": "o-9", "age": 39, "city": "Oslo"}, {"label": 1, "probability": 0.83, "version": "7"}),
        model="churn",
        version="1",
    )

    assert decoded.protocol == "plain"
    assert decoded.is_prediction
    assert decoded.rows == 1
    assert decoded.features is not None
    assert decoded.features.names == ("age", "city")
    assert decoded.outputs is not None
    assert decoded.outputs.names == ("label", "probability")
    assert decoded.roles == {"label": "label", "probability": "probability"}
    assert (decoded.model, decoded.version) == ("churn", "7")
    assert decoded.row_ids == ("o-9",)
    assert decoded.error is None
    assert decoded.undecodable == ""
    assert decoded.flags == frozenset()


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "answer"),
    [
        pytest.param("GET", "/health", b"", 200, {"status": "ok"}, id="a health check"),
        pytest.param("POST", "/login", b"", 200, {"token": "x"}, id="a login"),
        pytest.param("GET", "/predict", b"", 200, {"y": 1}, id="a GET without a query"),
        pytest.param("GET", "/predict", b"x=1", 200, "page", id="a GET answered with a page"),
        pytest.param("GET", "/predict", b"x=1", 200, b"", id="a GET answered with nothing"),
        pytest.param("DELETE", "/items", b"", 200, {"y": 1}, id="a DELETE"),
        pytest.param("OPTIONS", "/predict", b"", 200, b"", id="a preflight"),
        pytest.param("POST", "/predict", b"", 307, b"", id="a redirection"),
    ],
)
def test_what_asks_no_model_is_no_prediction(
    exchange: Make, *, method: str, path: str, query: bytes, status: int, answer: object
) -> None:
    page = {"content-type": "text/html"} if answer == "page" else None
    body = b"<html>" if answer == "page" else answer
    decoded = decode_exchange(
        exchange({"x": 1}, body, method=method, path=path, query=query, status=status, answer_headers=page)
    )

    assert not decoded.is_prediction
    assert decoded.flags == {"not_a_prediction"}
    assert decoded.rows == 0
    assert decoded.features is None
    assert decoded.why


@pytest.mark.parametrize(("route", "is_prediction"), [("unmatched", False), ("/predict", True)])
def test_a_path_that_nobody_serves_asks_no_model(exchange: Make, route: str, *, is_prediction: bool) -> None:
    decoded = decode_exchange(exchange({"x": 1}, {"detail": "Not Found"}, route=route, status=404))

    assert decoded.is_prediction is is_prediction


def test_the_query_of_a_get_is_the_request_and_its_numbers_are_text(exchange: Make) -> None:
    decoded = decode_exchange(exchange(b"", {"y": 0}, method="GET", query=b"sl=5.1&kind=a&api_key=x"))

    assert decoded.features is not None
    assert decoded.features.names == ("sl", "kind")
    assert list(decoded.features.values[0]) == ["5.1", "a"]
    assert not decoded.is_typed
    assert decoded.flags == {"numeric_string", "sensitive"}


def test_a_get_that_fails_is_a_failed_prediction(exchange: Make) -> None:
    decoded = decode_exchange(exchange(b"", b"oops", method="GET", query=b"x=1", status=500, answer_headers=NO_TYPE))

    assert decoded.is_prediction
    assert decoded.error is not None
    assert decoded.error.kind == "server"


def test_a_query_stands_in_for_a_body_that_is_not_there(exchange: Make) -> None:
    decoded = decode_exchange(exchange(b"", {"y": 0}, query=b"x=1"))

    assert decoded.features is not None
    assert decoded.features.names == ("x",)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_compressed_bodies_are_read(exchange: Make, encoding: str) -> None:
    coded = gzip.compress if encoding == "gzip" else bytes
    headers = {"content-type": "application/json", "content-encoding": encoding}

    decoded = decode_exchange(exchange(coded(b'{"x": 1}'), coded(b'{"y": 2}'), headers=headers, answer_headers=headers))

    assert decoded.features is not None
    assert decoded.outputs is not None
    assert (list(decoded.features.values[0]), list(decoded.outputs.values[0])) == ([1], [2])


@pytest.mark.parametrize(
    ("body", "headers", "missing", "reason", "flags"),
    [
        (b"", None, 0, "empty_body", {"undecodable_request"}),
        (b'{"x": 1', None, 5, "truncated", {"undecodable_request", "truncated"}),
        (b'{"x": 1', None, 0, "invalid_json", {"undecodable_request"}),
        (b"1,2", {"content-type": "application/vnd.nobody"}, 0, "unsupported_media_type", {"undecodable_request"}),
        (
            gzip.compress(b" " * (2 << 20)),
            {"content-type": "application/json", "content-encoding": "gzip"},
            0,
            "too_large",
            {"undecodable_request", "over_limit"},
        ),
    ],
    ids=["empty", "cut by us", "cut by the sender", "an unknown type", "bomb"],
)
def test_a_request_that_cannot_be_read_says_why(
    exchange: Make, *, body: bytes, headers: dict[str, str] | None, missing: int, reason: str, flags: set[str]
) -> None:
    decoded = decode_exchange(exchange(body, {"y": 1}, headers=headers, missing_bytes=missing), model="churn")

    assert decoded.undecodable == reason
    assert decoded.undecodable_detail.startswith(reason)
    assert decoded.flags == flags
    assert decoded.rows is None
    assert decoded.features is None
    assert decoded.outputs is None
    assert decoded.model == "churn"


@pytest.mark.parametrize(
    ("body", "headers", "missing", "reason"),
    [
        (b"<html>", {"content-type": "text/html"}, 0, "unsupported_media_type"),
        (b'{"y": 1', None, 9, "truncated"),
        (b"", None, 9, "empty_body"),
    ],
    ids=["html", "cut", "nothing kept"],
)
def test_an_answer_that_cannot_be_read_leaves_the_features(
    exchange: Make, body: bytes, headers: dict[str, str] | None, missing: int, reason: str
) -> None:
    decoded = decode_exchange(exchange({"x": 1}, body, answer_headers=headers, missing_answer_bytes=missing))

    assert decoded.undecodable == reason
    assert decoded.undecodable_detail.startswith("the answer: ")
    assert decoded.features is not None
    assert decoded.outputs is None
    assert "undecodable_request" not in decoded.flags
    assert ("truncated" in decoded.flags) == (reason == "truncated")


def test_an_empty_answer_is_no_answer(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"x": 1}, b"", status=204))

    assert decoded.outputs is None
    assert decoded.undecodable == ""


@pytest.mark.parametrize(
    ("status", "outcome", "error", "answer", "kind"),
    [
        (422, "ok", "", {"detail": [{"loc": ["body", "x"], "type": "t", "msg": "m"}]}, "validation"),
        (429, "ok", "", {"error": "slow down"}, "client"),
        (500, "ok", "", {"detail": "no"}, "server"),
        (0, "error", "ValueError", b"", "server"),
        (200, "ok", "", {"error": "nothing found", "y": -1}, "model"),
    ],
)
def test_a_failed_exchange_has_features_and_no_outputs(
    exchange: Make, *, status: int, outcome: str, error: str, answer: object, kind: str
) -> None:
    decoded = decode_exchange(exchange({"x": 1}, answer, status=status, outcome=outcome, error=error))

    assert decoded.error is not None
    assert decoded.error.kind == kind
    assert decoded.features is not None
    assert decoded.outputs is None
    assert ("error_in_200" in decoded.flags) == (kind == "model")


def test_an_answer_that_the_client_did_not_wait_for_counts_for_nothing(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"x": 1}, {"y": 1}, outcome="client_disconnect"))

    assert decoded.error is None
    assert decoded.outputs is None


@pytest.mark.parametrize(
    ("request_", "flag"),
    [
        ({"x": None}, "null"),
        (b'{"x": NaN}', "nonfinite"),
        (b'{"x": 1e999}', "nonfinite"),
        ({"x": "5.10"}, "numeric_string"),
        ({"x": "-1e-7"}, "numeric_string"),
        ([{"x": 1}, {"x": "a"}], "mixed_type"),
        ([{"x": 1}, {"x": True}], "mixed_type"),
        ([{"x": 1}, {"y": 2}], "missing_key"),
        ([[1, 2], [3]], "ragged"),
        ({"x": [0.5] * 300}, "vector_column"),
        ({"email": "a@b.c"}, "sensitive"),
        ({"x": 1, "password": "p"}, "sensitive"),
        ({f"c{at}": 1 for at in range(300)}, "over_limit"),
    ],
    ids=str,
)
def test_the_values_are_flagged(exchange: Make, request_: object, flag: str) -> None:
    assert flag in decode_exchange(exchange(request_, {"y": 1})).flags


@pytest.mark.parametrize(
    ("request_", "flag"),
    [
        ({"x": "0150"}, "numeric_string"),
        ({"x": "1.2.3"}, "numeric_string"),
        ([{"x": 1}, {"x": 2.5}, {"x": None}], "mixed_type"),
        ({"x": [{"a": 1}, 2]}, "vector_column"),
        ({"x": 1}, "null"),
    ],
    ids=str,
)
def test_values_that_only_resemble_those_are_not_flagged(exchange: Make, request_: object, flag: str) -> None:
    assert flag not in decode_exchange(exchange(request_, {"y": 1})).flags


def test_a_type_that_only_the_bytes_told_is_flagged(exchange: Make) -> None:
    decoded = decode_exchange(
        exchange({"x": 1}, {"y": 1}, headers={"content-type": "application/x-www-form-urlencoded"})
    )

    assert "sniffed" in decoded.flags
    assert decoded.is_typed


def test_bentoml_names_the_request_in_a_header(exchange: Make) -> None:
    headers = {"content-type": "application/json", "x-bentoml-request-id": "c839"}

    assert decode_exchange(exchange({"x": 1}, 4.2, answer_headers=headers)).request_id == "c839"


def test_what_nobody_foresaw_is_a_reason_too(exchange: Make) -> None:
    broken = exchange({"x": 1}, {"y": 1}, headers={})
    impossible = Exchange(**{name: getattr(broken, name) for name in broken.__struct_fields__} | {"path": None})

    decoded = decode_exchange(impossible)

    assert decoded.undecodable == "unforeseen"
    assert decoded.undecodable_detail == "unforeseen: TypeError"


def test_numbers_that_travel_as_text_are_numbers_again() -> None:
    sheet = numbers_of_text(Sheet(("a", "b", "c"), [["5.1", "x", "007"], ["-2", None, "1e3"]]))

    assert [list(row) for row in sheet.values] == [[5.1, "x", "007"], [-2.0, None, 1000.0]]


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [(504, b"Timed out", "Timed out"), (502, b"\xff[", "\N{REPLACEMENT CHARACTER}["), (500, b'{"a', '{"a')],
    ids=["text", "no text", "cut"],
)
def test_an_error_that_calls_itself_json_is_told_as_text(
    exchange: Make, *, status: int, body: bytes, detail: str
) -> None:
    decoded = decode_exchange(exchange({"x": 1}, body, status=status))

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == ("server", detail)


def test_headers_say_model_and_version_only_where_no_plan_is_made(exchange: Make) -> None:
    headers = {"content-type": "application/json", "azureml-model-deployment": "blue"}

    azure = decode_exchange(exchange({"x": 1}, {"y": 1}, answer_headers=headers), version="0")
    kserve = decode_exchange(
        exchange({"instances": [1]}, {"predictions": [1]}, path="/v1/models/m:predict", answer_headers=headers),
        version="0",
    )

    assert (azure.version, kserve.version) == ("blue", "0")
