import pytest

from dashlight.decode.protocols import FALLBACK, PROTOCOLS
from dashlight.decode.protocols.detect import MAX_REMEMBERED_PATH, place_in, place_of, protocol_of

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
        "/docs.json",
        "/schema/swagger",
        "/docs/oauth2-redirect",
        "/metrics/",
        "/health/liveness",
        "/ping",
        "/version",
        "/-/healthz",
        "/-/routes",
        "/v2/health/live",
        "/v2/models/{model_name}/versions/{model_version}/ready",
        "/static/{path}",
        "/favicon.ico",
        "/login",
        "/oauth/token",
        "/v1/models",
        "/v2",
        "/v2/health/ready",
        "/v2/models/iris/ready",
        "/v2/models/iris/versions/1/stats",
        "/v2/repository/models/iris/load",
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
        pytest.param("/v1/models/a:classify", "tf_serving", "a", "", id="TensorFlow Serving classify"),
        pytest.param("/seldon/ns/dep/api/v1.0/predictions", "seldon_v1", "dep", "", id="Seldon"),
        pytest.param("/v1/messages", "anthropic", "", "", id="Anthropic"),
        pytest.param("/v1/projects/p/endpoints/7:predict", "vertex", "", "", id="Vertex"),
        pytest.param("/models/org/name", "", "org/name", "", id="a shared path"),
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
    protocol, why = protocol_of({"data": {"ndarray": [[1]]}}, place_of("/v1/models/iris:predict"))

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
        pytest.param({"inputs": "I like it"}, "huggingface", id="a text under inputs"),
        pytest.param({"inputs": ["a", "b"]}, "huggingface", id="texts under inputs"),
        pytest.param({"inputs": {"x": [1, 2]}}, "plain", id="columns under inputs"),
        pytest.param({"dataframe_split": {}}, "mlflow", id="MLflow split"),
        pytest.param({"dataframe_records": []}, "mlflow", id="MLflow records"),
        pytest.param({"input_data": []}, "azureml", id="Azure ML"),
        pytest.param({"data": {"ndarray": [[1]]}}, "seldon_v1", id="Seldon arrays"),
        pytest.param({"strData": "x"}, "seldon_v1", id="Seldon text"),
        pytest.param({"inputs": [TENSOR], "input_data": []}, "kserve_v2", id="keys of two protocols"),
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


def test_a_more_specific_protocol_may_share_the_path_of_another() -> None:
    place = place_of("/v1/models/iris:predict")

    rows, _ = protocol_of({"instances": [[1]]}, place)
    columns, why = protocol_of({"inputs": {"x": [1]}}, place)

    assert (rows.name, columns.name) == ("kserve_v1", "tf_serving")
    assert "layout" in why


@pytest.mark.parametrize(
    ("path", "value", "protocol"),
    [
        ("/invocations", {"inputs": [[1]]}, "mlflow"),
        ("/invocations", {"instances": [{"features": [1]}]}, "sagemaker"),
        ("/invocations", [{"features": [1]}], "sagemaker"),
        ("/invocations", {"inputs": [TENSOR]}, "kserve_v2"),
        ("/invocations", {"age": 3}, "plain"),
        ("/invocations", "text", "plain"),
        ("/score", {"data": [[1]]}, "azureml"),
        ("/score", {"age": 3}, "plain"),
        ("/rerank", {"query": "q", "texts": ["a"]}, "huggingface"),
    ],
    ids=str,
)
def test_under_a_shared_path_the_layout_of_the_body_decides(path: str, value: object, protocol: str) -> None:
    chosen, why = protocol_of(value, place_of(path))

    assert chosen.name == protocol
    assert why


@pytest.mark.parametrize(
    ("headers", "value", "protocol"),
    [
        ([(b"server", b"BentoML Service/Iris")], {"x": 1}, "bentoml"),
        ([(b"server", b"uvicorn")], {"x": 1}, "plain"),
        ([(b"x-bentoml-request-id", b"c8")], {"inputs": "a"}, "bentoml"),
        ([(b"x-bentoml-request-id", b"c8")], {"inputs": [TENSOR]}, "kserve_v2"),
        ([(b"x-amzn-sagemaker-inference-id", b"i")], [1], "sagemaker"),
        ([(b"azureml-model-deployment", b"blue")], {"x": 1}, "azureml"),
    ],
    ids=str,
)
def test_headers_name_the_protocol_where_no_more_specific_one_claims_the_body(
    headers: list[tuple[bytes, bytes]], value: object, protocol: str
) -> None:
    asked, _ = protocol_of(value, place_in("/predict", headers, []))
    answered, _ = protocol_of(value, place_in("/predict", [], headers))

    assert (asked.name, answered.name) == (protocol, protocol)


def test_a_path_wins_over_headers() -> None:
    place = place_in("/v1/models/iris:predict", [], [(b"server", b"BentoML Service/Iris")])

    assert protocol_of({"instances": [[1]]}, place)[0].name == "kserve_v1"


def test_every_protocol_has_a_name_of_its_own_and_something_to_be_recognised_by() -> None:
    names = [protocol.name for protocol in (*PROTOCOLS, FALLBACK)]

    assert len(set(names)) == len(names)
    for protocol in PROTOCOLS:
        assert protocol.paths or protocol.shared_paths or protocol.keys or protocol.any_keys or protocol.headers


@pytest.mark.parametrize("value", [None, 3, "x", [], [[]], {}, {"inputs": None}, {"instances": [None]}, {"data": []}])
def test_no_protocol_fails_at_being_asked(value: object) -> None:
    for protocol in PROTOCOLS:
        assert protocol.claims(value) in {True, False}
        assert protocol.claims_there(value) in {True, False}


def test_triton_is_asked_for_texts_under_its_path() -> None:
    place = place_of("/v2/models/llm/versions/2/generate")

    assert place.protocol.startswith("triton_generate")
    assert (place.model, place.version) == ("llm", "2")


def test_a_long_path_is_looked_at_once() -> None:
    assert not place_of("/v2/repository/" * 4000 + "\n").is_prediction
    assert place_of("/x/v2/repository").is_prediction
