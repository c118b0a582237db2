from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PATH = "/invocations"


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        pytest.param({"instances": [{"features": [1.5, 16]}, {"features": [2.5, 4]}]}, ("0", "1"),
                     [[1.5, 16], [2.5, 4]], id="features"),
        pytest.param({"instances": [{"data": {"features": {"values": [1.5, 16]}}}]}, ("0", "1"), [[1.5, 16]],
                     id="values of data"),
        pytest.param({"instances": [{"features": {"values": [1.5, 16]}}]}, ("0", "1"), [[1.5, 16]], id="values"),
        pytest.param({"instances": [{"configuration": {"k": 1}, "data": {"features": [1, 2]}}]}, ("0", "1"), [[1, 2]],
                     id="data with a configuration"),
        pytest.param([{"features": [1, 2]}, {"features": [3, 4]}], ("0", "1"), [[1, 2], [3, 4]], id="a bare list"),
        pytest.param({"data": {"features": {"values": [1, 2]}}}, ("0", "1"), [[1, 2]], id="a single one"),
        pytest.param({"instances": [{"data": {"a": {"values": [1, 2]}, "b": {"values": [3]}}}]},
                     ("a[0]", "a[1]", "b"), [[1, 2, 3]], id="several vectors"),
        pytest.param({"instances": [{"data": {"features": {"keys": [1, 3], "shape": [4], "values": [5, 6]}}}]},
                     ("0", "1", "2", "3"), [[0.0, 5, 0.0, 6]], id="a sparse vector"),
        pytest.param({"instances": [{"data": {"features": {"keys": [1, 9, "x"], "shape": [2], "values": [5, 6, 7]}}}]},
                     ("0", "1"), [[0.0, 5]], id="a sparse vector with keys beyond its shape"),
        pytest.param({"instances": [{"data": {"features": {"keys": [1, 3], "shape": [10**12], "values": [5, 6]}}}]},
                     ("features.1", "features.3"), [[5, 6]], id="a sparse vector as wide as the world"),
        pytest.param({"instances": [{"features": [1]}, 3]}, ("0",), [[[1]], [3]], id="a list of several kinds"),
    ],
)  # fmt: skip
def test_instances_are_taken_out_of_their_wrapping(
    exchange: Make, request_: object, names: tuple[str, ...], values: Rows
) -> None:
    decoded = decode_exchange(exchange(request_, {"predictions": [{"score": 0.4}]}, path=PATH))

    assert decoded.protocol == "sagemaker"
    assert features(decoded) == (names, values)


def test_a_sparse_vector_is_flagged(exchange: Make) -> None:
    request = {"instances": [{"data": {"features": {"keys": [1], "shape": [2], "values": [5]}}}]}

    assert "sparse" in decode_exchange(exchange(request, {"predictions": [{"score": 1}]}, path=PATH)).flags


@pytest.mark.parametrize(
    ("predictions", "names", "values"),
    [
        ([{"score": 0.4, "predicted_label": 1}, {"score": 0.6, "predicted_label": 0}], ("score", "predicted_label"),
         [[0.4, 1], [0.6, 0]]),
        ([{"closest_cluster": 2.0, "distance_to_cluster": 1.5}, {"closest_cluster": 0.0, "distance_to_cluster": 0.5}],
         ("closest_cluster", "distance_to_cluster"), [[2.0, 1.5], [0.0, 0.5]]),
    ],
    ids=["a linear learner", "k-means"],
)  # fmt: skip
def test_predictions_become_outputs(exchange: Make, predictions: object, names: tuple[str, ...], values: Rows) -> None:
    request = {"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}

    decoded = decode_exchange(exchange(request, {"predictions": predictions}, path=PATH))

    assert outputs(decoded) == (names, values)
    assert decoded.roles[names[0]] in {"score", "label"}


@pytest.mark.parametrize(
    "request_", [{"x": 1}, {"instances": [[1]]}, {"dataframe_records": [{"x": 1}]}], ids=["plain", "V1", "MLflow"]
)
def test_headers_name_protocol_model_variant_and_request(exchange: Make, request_: object) -> None:
    headers = {
        "content-type": "application/json",
        "x-amzn-sagemaker-target-model": "churn.tar.gz",
        "x-amzn-sagemaker-target-variant": "blue",
        "x-amzn-sagemaker-inference-id": "i-7",
    }

    decoded = decode_exchange(exchange(request_, {"predictions": [1]}, path=PATH, headers=headers), model="m")

    assert decoded.protocol == "sagemaker"
    assert (decoded.model, decoded.version, decoded.request_id) == ("churn.tar.gz", "blue", "i-7")
    assert features(decoded)[1] == [[1]]


def test_headers_name_the_model_of_a_request_that_cannot_be_read(exchange: Make) -> None:
    headers = {"content-type": "application/json", "x-amzn-sagemaker-target-model": "churn.tar.gz"}

    decoded = decode_exchange(exchange(b"{", {"y": 1}, path=PATH, headers=headers), model="m")

    assert (decoded.model, decoded.undecodable) == ("churn.tar.gz", "invalid_json")


def test_a_container_of_many_models_has_the_model_in_its_path(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"features": [1, 2]}, {"score": 0.5}, path="/models/churn/invoke"))

    assert (decoded.protocol, decoded.model) == ("sagemaker", "churn")
    assert features(decoded)[1] == [[1, 2]]


def test_anybodys_vector_is_plain_json(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"features": [1, 2]}, {"score": 0.5}, path=PATH))

    assert decoded.protocol == "plain"
    assert features(decoded) == (("features[0]", "features[1]"), [[1, 2]])


def test_sparse_vectors_together_stay_within_the_limit_of_cells(exchange: Make) -> None:
    row = {"data": {"features": {"keys": [1], "shape": [4000], "values": [5]}}}

    decoded = decode_exchange(exchange({"instances": [row] * 500}, {"predictions": [1] * 500}, path=PATH))

    assert decoded.rows == 500
    assert sum(len(cell) for (cell,) in features(decoded)[1] if isinstance(cell, list)) <= 1 << 17
