import pytest

from dashlight.decode.detect import MAX_REMEMBERED_PATH, place_of, protocol_of
from dashlight.errors import DecodeError

TENSOR = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/healthz",
        "/api/livez",
        "/readyz/",
        "/metrics",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/schema.json",
        "/favicon.ico",
        "/login",
        "/oauth/token",
        "/v1/models",
        "/v2",
        "/v2/health/ready",
        "/v2/models/iris/ready",
        "/v2/models/iris/versions/1/stats",
        "/v2/repository/models/iris/load",
        "/v1/models/iris:explain",
        "/static/app",
        "/ui/main.js",
    ],
)
def test_paths_of_other_things_are_no_predictions(path: str) -> None:
    assert not place_of(path).is_prediction


@pytest.mark.parametrize(
    "path", ["/predict", "/", "/score", "/healthcare/predict", "/documents", "/v1/models/health:predict", "/loginrisk"]
)
def test_paths_that_only_resemble_them_may_be(path: str) -> None:
    assert place_of(path).is_prediction


@pytest.mark.parametrize(
    ("path", "protocol", "model", "version"),
    [
        pytest.param("/v2/models/iris/infer", "kserve_v2", "iris", "", id="V2"),
        pytest.param("/v2/models/iris/versions/2/infer", "kserve_v2", "iris", "2", id="V2 with a version"),
        pytest.param("/seldon/v2/models/a-b_c.d/infer", "kserve_v2", "a-b_c.d", "", id="V2 behind a prefix"),
        pytest.param("/v1/models/iris:predict", "kserve_v1", "iris", "", id="V1"),
        pytest.param("/v1/models/iris/versions/3:predict", "kserve_v1", "iris", "3", id="V1 with a version"),
        pytest.param("/v1/models/iris/labels/canary:predict", "kserve_v1", "iris", "", id="V1 with a label"),
        pytest.param("/v1/models/ready:predict", "kserve_v1", "ready", "", id="a model called ready"),
        pytest.param("/v2/models/llm/generate", "triton_generate", "", "", id="Triton generate"),
        pytest.param("/v1/models/a:classify", "tf_serving", "", "", id="TensorFlow Serving classify"),
        pytest.param("/openai/v1/chat/completions", "openai", "", "", id="OpenAI behind a prefix"),
        pytest.param("/seldon/ns/dep/api/v1.0/predictions", "seldon_v1", "", "", id="Seldon"),
        pytest.param("/v1/messages", "anthropic", "", "", id="Anthropic"),
        pytest.param("/v1/projects/p/endpoints/7:predict", "vertex", "", "", id="Vertex"),
        pytest.param("/predict", "", "", "", id="no protocol's"),
    ],
)
def test_a_path_tells_protocol_model_and_version(path: str, protocol: str, model: str, version: str) -> None:
    place = place_of(path)

    assert (place.protocol, place.model, place.version) == (protocol, model, version)


def test_a_path_too_long_to_be_remembered_is_decided_like_any_other() -> None:
    path = "/a" * MAX_REMEMBERED_PATH + "/v2/models/iris/infer"

    assert place_of(path).model == "iris"


def test_a_path_wins_over_the_keys_of_the_body() -> None:
    protocol, why = protocol_of({"inputs": [TENSOR]}, place_of("/v1/models/iris:predict"))

    assert protocol.name == "kserve_v1"
    assert "path" in why


@pytest.mark.parametrize(
    ("value", "protocol"),
    [
        pytest.param({"inputs": [TENSOR]}, "kserve_v2", id="input tensors"),
        pytest.param({"id": "1", "inputs": [TENSOR, TENSOR], "outputs": []}, "kserve_v2", id="two of them"),
        pytest.param({"inputs": [{"name": "x"}]}, "plain", id="objects under inputs"),
        pytest.param({"inputs": [TENSOR, "text"]}, "plain", id="a tensor and a text"),
        pytest.param({"inputs": []}, "plain", id="nothing under inputs"),
        pytest.param({"inputs": "I like it"}, "plain", id="a text under inputs"),
        pytest.param({"instances": [[1.0]]}, "plain", id="instances away from their path"),
        pytest.param({"data": [[1.0]]}, "plain", id="data without Seldon's keys"),
        pytest.param([[1.0]], "plain", id="a list"),
        pytest.param(4.0, "plain", id="a number"),
        pytest.param({f"k{at}" * 50: 1 for at in range(100)}, "plain", id="keys too long to be remembered"),
    ],
)
def test_elsewhere_the_keys_and_what_is_under_them_tell_the_protocol(value: object, protocol: str) -> None:
    chosen, why = protocol_of(value, place_of("/predict"))

    assert chosen.name == protocol
    assert why


@pytest.mark.parametrize(
    ("value", "path", "name"),
    [
        pytest.param({"dataframe_split": {}}, "/invocations", "mlflow", id="MLflow split"),
        pytest.param({"dataframe_records": []}, "/invocations", "mlflow", id="MLflow records"),
        pytest.param({"input_data": []}, "/score", "azureml", id="Azure ML"),
        pytest.param({"data": {"ndarray": [[1]]}}, "/predict", "seldon_v1", id="Seldon arrays"),
        pytest.param({"strData": "x"}, "/predict", "seldon_v1", id="Seldon text"),
        pytest.param({"model": "m", "messages": []}, "/chat", "openai", id="a chat"),
        pytest.param({"text_input": "x"}, "/v2/models/llm/generate", "triton_generate", id="Triton generate"),
    ],
)
def test_a_protocol_without_a_reader_is_named(value: object, path: str, name: str) -> None:
    with pytest.raises(DecodeError) as error:
        protocol_of(value, place_of(path))

    assert error.value.reason == "unsupported_protocol"
    assert name in str(error.value)
