import pytest

from dashlight.decode.rows.failures import Failure, failure_by_status, failure_inside, told_failure


@pytest.mark.parametrize("status", [200, 201, 204, 302])
def test_below_400_the_status_tells_of_no_failure(status: int) -> None:
    assert failure_by_status(status, {"y": 1}) is None


def test_pydantics_list_of_errors_names_columns_types_and_rows() -> None:
    answer = {
        "detail": [
            {"type": "int_parsing", "loc": ["body", "age"], "msg": "no integer", "input": "secret"},
            {"type": "missing", "loc": ["body", "instances", 3, "income"], "msg": "Field required"},
            {"type": "list_type", "loc": ["body", 3], "msg": "no list"},
            {"type": "missing", "loc": ["data", "x"], "msg": "Field required"},
        ]
    }

    failure = failure_by_status(422, answer)

    assert failure is not None
    assert failure.kind == "validation"
    assert failure.fields == ("age", "income", "", "data.x")
    assert failure.types == ("int_parsing", "missing", "list_type", "missing")
    assert failure.rows == (3,)
    assert "no integer" in failure.detail
    assert "secret" not in failure.detail


@pytest.mark.parametrize(
    ("status", "answer", "failure"),
    [
        pytest.param(429, {"error": "Rate limit"}, Failure("client", "Rate limit"), id="error as text"),
        pytest.param(404, {"detail": "Not Found"}, Failure("client", "Not Found"), id="FastAPI's HTTPException"),
        pytest.param(422, {"detail": []}, Failure("client", '{"detail":[]}'), id="an empty list of errors"),
        pytest.param(
            422, {"detail": ["odd", {"loc": "x"}]}, Failure("client", '["odd",{"loc":"x"}]'), id="another list"
        ),
        pytest.param(
            400,
            {"error_code": "BAD_REQUEST", "message": "no input"},
            Failure("client", "BAD_REQUEST; no input"),
            id="MLflow's",
        ),
        pytest.param(401, {"error": {"code": "no_key"}}, Failure("client", '{"code":"no_key"}'), id="error as object"),
        pytest.param(
            424, {"error": "no", "error_type": "Backend"}, Failure("server", "Backend; no"), id="a failed model"
        ),
        pytest.param(
            400,
            {"status": {"code": 3, "info": "bad", "reason": "DATA", "status": 1}},
            Failure("client", "DATA; bad"),
            id="Seldon's",
        ),
        pytest.param(400, [1], Failure("client", "[1]"), id="a list"),
        pytest.param(400, None, Failure("client", ""), id="nothing"),
        pytest.param(500, "Internal Server Error", Failure("server", "Internal Server Error"), id="text"),
        pytest.param(
            503, {"detail": [{"loc": ["body"]}]}, Failure("server", '[{"loc":["body"]}]'), id="a list in a 503"
        ),
    ],
)
def test_a_failed_answer_says_what_went_wrong(status: int, answer: object, failure: Failure) -> None:
    assert failure_by_status(status, answer) == failure


def test_an_exception_that_left_the_application_is_the_servers_failure() -> None:
    assert failure_by_status(0, None, error="ValueError") == Failure("server", "ValueError")
    assert failure_by_status(200, None, error="ValueError") == Failure("server", "ValueError")


def test_a_message_is_bounded() -> None:
    failure = failure_by_status(500, "x" * 10_000)

    assert failure is not None
    assert len(failure.detail) == 500


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "nothing found"},
        {"error": {"code": 3}, "prediction": -1},
        {"errors": ["a"]},
        {"error": True},
        {"success": False, "prediction": None},
        {"ok": False},
        {"status": "Error", "message": "no model"},
        {"state": "failed", "detail": "no model"},
        {"exception": "ValueError"},
    ],
    ids=str,
)
def test_an_answer_may_confess_a_failure_inside_a_200(answer: object) -> None:
    failure = failure_inside(answer)

    assert failure is not None
    assert failure.kind == "model"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": None, "prediction": 1},
        {"error": "", "prediction": 1},
        {"error": False, "prediction": 1},
        {"error": 0.03, "prediction": 1},
        {"errors": [], "prediction": 1},
        {"success": True, "prediction": 1},
        {"status": "ok", "message": "done"},
        {"status": "failure", "probability": 0.9},
        {"status": 3, "message": "x"},
        {"prediction": "error"},
        ["error"],
        "error",
        None,
    ],
    ids=str,
)
def test_other_answers_confess_nothing(answer: object) -> None:
    assert failure_inside(answer) is None


def test_a_protocols_own_reader_may_tell_a_failure() -> None:
    assert told_failure({"info": "bad"}) == Failure("model", "bad")
    assert told_failure("cut", kind="stream") == Failure("stream", "cut")


def test_of_a_long_detail_the_beginning_is_told() -> None:
    failure = failure_by_status(500, {"error": {"x": ["\u00e9" * 9, 1.5, None] * 9000}})

    assert failure is not None
    assert (
        failure.detail == ('{"x":[' + '"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9",1.5,null,' * 99)[:500]
    )
