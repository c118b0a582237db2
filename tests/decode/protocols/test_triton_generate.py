import pytest

from dashlight.decode.protocols.triton_generate import PROTOCOL
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading
from dashlight.errors import DecodeError
from dashlight.records import Cell

Rows = list[list[Cell]]
LLM = Place(is_prediction=True, protocol="triton_generate", model="llm", version="2", why="")


def content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def read(request: object, answer: object = ABSENT) -> Reading:
    return PROTOCOL.read(content(request), None if answer is ABSENT else content(answer), LLM)


def rows_of(sheet: Sheet | None) -> Rows:
    assert sheet is not None
    return [list(row) for row in sheet.values]


def test_a_text_is_one_row_and_what_stands_beside_it_parameters() -> None:
    request = {"id": "9", "text_input": "Say hi", "parameters": {"temperature": 0.2, "stream": False}, "max_tokens": 3}
    answer = {"id": "9", "model_name": "gpt", "model_version": "1", "text_output": "hi", "sequence_end": False}

    reading = read(request, answer)

    assert reading.features.names == ("text_input",)
    assert rows_of(reading.features) == [["Say hi"]]
    assert reading.outputs is not None
    assert reading.outputs.names == ("text_output",)
    assert rows_of(reading.outputs) == [["hi"]]
    assert (reading.model, reading.version, reading.request_id) == ("gpt", "1", "9")
    assert reading.params == {"temperature": 0.2, "stream": False, "max_tokens": 3}
    assert reading.generation is not None
    assert reading.generation.input_text == "Say hi"
    assert reading.generation.output_text == "hi"
    assert not reading.generation.is_streamed


@pytest.mark.parametrize(
    ("request_", "answer", "values", "out"),
    [
        pytest.param({"text_input": ["a", "b"]}, {"text_output": ["x", "y"]}, [["a"], ["b"]], [["x"], ["y"]],
                     id="texts"),
        pytest.param({"text_input": "a"}, [{"text_output": "x"}], [["a"]], [["x"]], id="a list of one answer"),
        pytest.param({"text_input": "a"}, {"text_output": "x", "cum_log_probs": -1.5}, [["a"]], [["x", -1.5]],
                     id="probabilities"),
        pytest.param({"text_input": "a"}, "x", [["a"]], [["x"]], id="a bare text"),
    ],
)  # fmt: skip
def test_other_layouts_are_read_too(request_: object, answer: object, values: Rows, out: Rows) -> None:
    reading = read(request_, answer)

    assert rows_of(reading.features) == values
    assert rows_of(reading.outputs) == out


def test_the_path_names_model_and_version_where_the_answer_does_not() -> None:
    reading = read({"text_input": "a", "id": 4}, {"text_output": "b"})

    assert (reading.model, reading.version, reading.request_id) == ("llm", "2", "4")


@pytest.mark.parametrize("answer", [{"error": "boom"}, [{"error": "boom"}]], ids=["an object", "a list of one"])
def test_failures_are_told(answer: object) -> None:
    reading = read({"text_input": "a"}, answer)

    assert reading.failure is not None
    assert (reading.failure.kind, reading.failure.detail) == ("model", "boom")
    assert reading.generation is not None
    assert reading.generation.input_text == "a"


def test_without_an_answer_there_are_no_outputs() -> None:
    assert read({"text_input": "a"}).outputs is None


@pytest.mark.parametrize("request_", [{"text_input": 3}, {"prompt": "a"}, [1]], ids=str)
def test_a_request_without_a_text_is_refused(request_: object) -> None:
    with pytest.raises(DecodeError) as error:
        read(request_)

    assert error.value.reason == "unknown_layout"


def test_it_claims_objects() -> None:
    assert PROTOCOL.claims({})
    assert not PROTOCOL.claims(ABSENT)
