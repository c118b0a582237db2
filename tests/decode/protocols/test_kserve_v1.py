import pytest

from dashlight.decode.protocols.kserve_v1 import PROTOCOL
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading
from dashlight.errors import DecodeError
from dashlight.records import Cell

IRIS = Place(is_prediction=True, protocol="kserve_v1", model="iris", version="", why="")


def content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def read(request: object, answer: object = ABSENT, place: Place = IRIS) -> Reading:
    return PROTOCOL.read(content(request), None if answer is ABSENT else content(answer), place)


@pytest.mark.parametrize(
    ("instances", "names", "values"),
    [
        ([[5.1, 3.5], [6.7, 3.1]], ("0", "1"), [[5.1, 3.5], [6.7, 3.1]]),
        ([{"len": 10.5, "kind": "cod"}], ("len", "kind"), [[10.5, "cod"]]),
        ([1.0, 2.0, 5.0], ("0",), [[1.0], [2.0], [5.0]]),
        ([], (), []),
    ],
    ids=["vectors", "objects", "numbers", "none"],
)
def test_each_instance_is_a_row(instances: object, names: tuple[str, ...], values: list[list[Cell]]) -> None:
    reading = read({"instances": instances})

    assert reading.features.names == names
    assert [list(row) for row in reading.features.values] == values
    assert reading.model == "iris"
    assert reading.outputs is None


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        ({"predictions": [0, 1]}, ("predictions",), [[0], [1]]),
        ({"predictions": [[0.9, 0.1], [0.2, 0.8]]}, ("predictions[0]", "predictions[1]"), [[0.9, 0.1], [0.2, 0.8]]),
        ({"predictions": [{"c": "a", "p": [0.8]}, {"c": "b", "p": [0.9]}]}, ("c", "p"), [["a", 0.8], ["b", 0.9]]),
        ({"labels": ["a", "b"]}, ("labels",), [["a"], ["b"]]),
        ([0, 1], ("prediction",), [[0], [1]]),
    ],
    ids=["numbers", "vectors", "objects", "another key", "a bare list"],
)
def test_each_prediction_is_a_row(answer: object, names: tuple[str, ...], values: list[list[Cell]]) -> None:
    outputs = read({"instances": [[1.0], [2.0]]}, answer).outputs

    assert outputs is not None
    assert outputs.names == names
    assert [list(row) for row in outputs.values] == values


def test_keys_beside_the_instances_are_parameters() -> None:
    reading = read({"signature_name": "s", "instances": [{"id": 1, "x": 2}]})

    assert reading.params == {"signature_name": "s"}
    assert reading.features.names == ("x",)
    assert reading.features.left_out == {"id": "id", "signature_name": "parameter"}


@pytest.mark.parametrize(
    ("version", "answer", "expected"),
    [("", {"predictions": [1], "model_version": "4"}, "4"), ("3", {"predictions": [1], "model_version": "4"}, "3"),
     ("", {"predictions": [1], "model_version": 4}, "")],
    ids=["the answer", "the path first", "no text"],
)  # fmt: skip
def test_the_version_is_in_the_path_or_in_the_answer(version: str, answer: object, expected: str) -> None:
    place = Place(is_prediction=True, protocol="kserve_v1", model="iris", version=version, why="")

    assert read({"instances": [1]}, answer, place).version == expected


@pytest.mark.parametrize("value", [{"inputs": [1]}, {"instances": {"x": 1}}, [1], None], ids=str)
def test_a_body_without_instances_is_another_layout(value: object) -> None:
    with pytest.raises(DecodeError) as error:
        read(value)

    assert error.value.reason == "unknown_layout"


def test_only_its_path_makes_a_body_v1() -> None:
    assert PROTOCOL.keys == frozenset()
    assert PROTOCOL.claims({"instances": []})
    assert not PROTOCOL.claims(ABSENT)
