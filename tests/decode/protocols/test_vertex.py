from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PATH = "/v1/projects/p/locations/us-central1/endpoints/77:predict"
TWO = {"instances": [{"a": "1.5", "b": "x"}, {"a": "2", "b": "y"}]}


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        (TWO, ("a", "b"), [["1.5", "x"], ["2", "y"]]),
        ({"instances": [[1, 2], [3, 4]]}, ("0", "1"), [[1, 2], [3, 4]]),
        ({"instances": ["fine", "awful"]}, ("0",), [["fine"], ["awful"]]),
        ({"instances": [{"image_bytes": {"b64": "aGk="}, "n": 1}]}, ("image_bytes", "n"), [[{"bytes": 2}, 1]]),
        ({"instances": []}, (), []),
        ({"age": 3}, ("age",), [[3]]),
    ],
    ids=["objects", "vectors", "texts", "bytes", "nothing", "a raw request"],
)
def test_each_instance_is_a_row(exchange: Make, request_: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange(request_, {"predictions": [1]}, path=PATH))

    assert decoded.protocol == "vertex"
    assert features(decoded) == (names, values)


@pytest.mark.parametrize(
    ("predictions", "names", "values"),
    [
        ([{"ids": ["12", "34"], "displayNames": ["pos", "neg"], "confidences": [0.2, 0.8]},
          {"ids": ["12", "34"], "displayNames": ["pos", "neg"], "confidences": [0.7, 0.3]}],
         ("displayNames", "confidences"), [["neg", 0.8], ["pos", 0.7]]),
        ([{"classes": ["0", "1"], "scores": [0.2, 0.8]}, {"classes": ["0", "1"], "scores": [0.7, 0.3]}],
         ("classes", "scores", "scores[0]", "scores[1]"), [["1", 0.8, 0.2, 0.8], ["0", 0.7, 0.7, 0.3]]),
        ([{"value": 3.1, "lower_bound": 1.5}, {"value": 2.5, "lower_bound": 0.5}], ("value", "lower_bound"),
         [[3.1, 1.5], [2.5, 0.5]]),
        (["12150.5", "3.5"], ("predictions",), [[12150.5], [3.5]]),
        ([{"classes": [], "scores": []}, {"classes": ["a"], "scores": ["x"]}], ("classes", "scores"),
         [[None, None], ["a", "x"]]),
    ],
    ids=["names and confidences", "classes and scores", "a regression", "numbers as text", "nothing and no number"],
)  # fmt: skip
def test_each_prediction_is_a_row_of_the_best_label(
    exchange: Make, predictions: object, names: tuple[str, ...], values: Rows
) -> None:
    decoded = decode_exchange(exchange(TWO, {"predictions": predictions}, path=PATH))

    assert outputs(decoded) == (names, values)


def test_another_answer_is_read_as_plain_json(exchange: Make) -> None:
    decoded = decode_exchange(exchange(TWO, {"labels": ["a", "b"]}, path=PATH))

    assert outputs(decoded) == (("labels",), [["a"], ["b"]])


@pytest.mark.parametrize(
    ("told", "model", "version"),
    [
        ({"deployedModelId": "555", "model": "projects/1/models/9", "modelDisplayName": "sent", "modelVersionId": "3"},
         "projects/1/models/9", "3"),
        ({"deployedModelId": "555", "modelDisplayName": "sent"}, "sent", ""),
        ({"deployedModelId": "555", "model": ""}, "555", ""),
        ({"model": 3, "modelVersionId": 3}, "", ""),
    ],
    ids=["all", "the name", "the deployment", "no texts"],
)  # fmt: skip
def test_the_answer_names_model_and_version(exchange: Make, told: dict[str, object], model: str, version: str) -> None:
    decoded = decode_exchange(exchange(TWO, {"predictions": [1, 2], **told}, path=PATH))

    assert (decoded.model, decoded.version) == (model, version)


def test_parameters_are_told(exchange: Make) -> None:
    request = {**TWO, "parameters": {"confidenceThreshold": 0.5, "access_token": "x"}}

    decoded = decode_exchange(exchange(request, {"predictions": [1, 2]}, path=PATH))

    assert decoded.params == {"confidenceThreshold": 0.5}


@pytest.mark.parametrize(("status", "kind"), [(400, "client"), (200, "model"), (500, "server")])
def test_an_error_is_told_by_its_envelope(exchange: Make, status: int, kind: str) -> None:
    answer = {"error": {"code": 400, "message": "bad instance", "status": "INVALID_ARGUMENT"}}

    decoded = decode_exchange(exchange(TWO, answer, path=PATH, status=status))

    assert decoded.error is not None
    assert decoded.error.kind == kind
    assert "INVALID_ARGUMENT" in decoded.error.detail


@pytest.mark.parametrize(
    ("path", "model", "version"),
    [
        ("/v1/endpoints/77/deployedModels/5:predict", "", ""),
        ("/v1/endpoints/77:rawPredict", "", ""),
        ("/v1/projects/p/locations/l/publishers/google/models/text-embedding@003:predict", "text-embedding", "003"),
        ("/v1/publishers/google/models/gecko:predict", "gecko", ""),
    ],
)
def test_paths_of_containers_and_of_published_models_are_its_own(
    exchange: Make, path: str, model: str, version: str
) -> None:
    decoded = decode_exchange(exchange(TWO, {"predictions": [1, 2]}, path=path))

    assert (decoded.protocol, decoded.model, decoded.version) == ("vertex", model, version)
