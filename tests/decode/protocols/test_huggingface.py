from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
MODEL = "/models/org/name"
POSITIVE = [{"label": "NEGATIVE", "score": 0.02}, {"label": "POSITIVE", "score": 0.98}]
NEGATIVE = [{"label": "NEGATIVE", "score": 0.9}, {"label": "POSITIVE", "score": 0.1}]
SPAN = {"entity_group": "PER", "score": 0.99, "word": "Ada", "start": 1, "end": 4}
FOUND = ("prediction.count", "prediction.count[PER]", "prediction.score.mean", "prediction.score.lowest")
BOX = {"score": 0.9, "label": "cat", "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("inputs", "names", "values"),
    [
        ("I like it", ("inputs",), [["I like it"]]),
        (["fine", "awful"], ("inputs",), [["fine"], ["awful"]]),
        ({"question": "q", "context": "c"}, ("question", "context"), [["q", "c"]]),
        ({"source_sentence": "a", "sentences": ["b", "c"]}, ("source_sentence", "sentences[0]", "sentences[1]"),
         [["a", "b", "c"]]),
    ],
    ids=["a text", "texts", "a question", "sentences"],
)  # fmt: skip
def test_inputs_become_rows(exchange: Make, inputs: object, names: tuple[str, ...], values: Rows) -> None:
    request = {"inputs": inputs, "parameters": {"top_k": 2, "token": "x"}, "options": {"wait_for_model": True}}

    decoded = decode_exchange(exchange(request, {"answer": "a"}, path=MODEL))

    assert decoded.protocol == "huggingface"
    assert decoded.model == "org/name"
    assert features(decoded) == (names, values)
    assert decoded.params == {"top_k": 2, "wait_for_model": True}


@pytest.mark.parametrize(
    ("inputs", "answer", "names", "values"),
    [
        pytest.param("a", [POSITIVE], ("label", "score"), [["POSITIVE", 0.98]], id="labels in a list of lists"),
        pytest.param("a", POSITIVE, ("label", "score"), [["POSITIVE", 0.98]], id="labels"),
        pytest.param(["a", "b"], [POSITIVE, NEGATIVE], ("label", "score"), [["POSITIVE", 0.98], ["NEGATIVE", 0.9]],
                     id="labels of texts"),
        pytest.param(["a", "b"], [POSITIVE[1], NEGATIVE[0]], ("label", "score"), [["POSITIVE", 0.98], ["NEGATIVE", 0.9]],
                     id="the best label of each text"),
        pytest.param("a", {"sequence": "a", "labels": ["x", "y"], "scores": [0.2, 0.8]}, ("label", "score"),
                     [["y", 0.8]], id="zero-shot, older"),
        pytest.param(["a", "b"], [{"sequence": "a", "labels": ["x", "y"], "scores": [0.2, 0.8]},
                                  {"sequence": "b", "labels": ["x", "y"], "scores": [0.7, 0.3]}], ("label", "score"),
                     [["y", 0.8], ["x", 0.7]], id="zero-shot of texts, older"),
        pytest.param("a", [{"labels": ["x"], "scores": []}], ("labels", "scores"), [["x", []]], id="odd lists"),
        pytest.param("a", {"labels": ["x"], "scores": []}, ("labels", "scores"), [["x", []]], id="an odd object"),
        pytest.param("a", [SPAN], FOUND, [[1, 1, 0.99, 0.99]], id="a span"),
        pytest.param("a", [SPAN, SPAN], FOUND, [[2, 2, 0.99, 0.99]], id="spans"),
        pytest.param("a", [], ("prediction",), [[[]]], id="no span"),
        pytest.param(["a", "b"], [[SPAN], []], FOUND, [[1, 1, 0.99, 0.99], [0, 0, None, None]],
                     id="spans of texts"),
        pytest.param("a", [BOX], ("prediction.count", "prediction.count[cat]", "prediction.score.mean",
                                  "prediction.score.lowest", "prediction.box.area", "prediction.box.x", "prediction.box.y"),
                     [[1, 1, 0.9, 0.9, 4, 2, 3]], id="boxes"),
        pytest.param("a", {"answer": "x", "score": 0.5, "start": 1}, ("answer", "score", "start"), [["x", 0.5, 1]],
                     id="an answer"),
        pytest.param(["a", "b"], [0.5, 0.7], ("prediction",), [[0.5], [0.7]], id="a number for each"),
        pytest.param("a", [[0.1, 0.2, 0.3]], ("embedding",), [[[0.1, 0.2, 0.3]]], id="an embedding"),
        pytest.param("a", [0.1, 0.2, 0.3], ("embedding",), [[[0.1, 0.2, 0.3]]], id="a bare embedding"),
        pytest.param("a", [0.1], ("prediction",), [[0.1]], id="a number"),
        pytest.param("a", 0.5, ("prediction",), [[0.5]], id="a bare number"),
        pytest.param("a", [{"summary_text": "s"}], ("summary_text",), [["s"]], id="a summary"),
    ],
)  # fmt: skip
def test_answers_become_outputs(
    exchange: Make, inputs: object, answer: object, names: tuple[str, ...], values: Rows
) -> None:
    decoded = decode_exchange(exchange({"inputs": inputs}, answer, path=MODEL))

    assert outputs(decoded) == (names, values)


def test_vectors_of_an_application_of_its_own_are_probabilities(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"inputs": "a"}, [[0.1, 0.9]], path="/classify"))

    assert outputs(decoded) == (("prediction[0]", "prediction[1]"), [[0.1, 0.9]])


def test_wide_vectors_are_embeddings_everywhere(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"inputs": ["a", "b"]}, [[0.5] * 32, [0.7] * 32], path="/vectors"))

    assert outputs(decoded) == (("embedding",), [[[0.5] * 32], [[0.7] * 32]])
    assert decoded.roles == {"embedding": "embedding"}


@pytest.mark.parametrize(("path", "extra"), [("/embed", {}), ("/vectors", {"normalize": True})])
def test_a_texts_embedding_stays_one_column_however_narrow(exchange: Make, path: str, extra: dict[str, object]) -> None:
    decoded = decode_exchange(exchange({"inputs": ["a", "b"], **extra}, [[0.1, 0.2], [0.3, 0.4]], path=path))

    assert outputs(decoded) == (("embedding",), [[[0.1, 0.2]], [[0.3, 0.4]]])
    assert "vector_column" in decoded.flags


def test_embeddings_stay_within_the_limit_of_cells_and_match_the_rows(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"inputs": ["a"] * 40}, [[0.5] * 4096] * 41, path="/embed"))

    assert decoded.outputs is not None
    assert len(decoded.outputs.values) == 32
    assert decoded.outputs.dropped_count == 9
    assert decoded.flags >= {"over_limit", "shape_mismatch"}


@pytest.mark.parametrize("path", ["/rerank", "/anything"])
def test_a_ranking_is_put_in_the_order_of_the_texts(exchange: Make, path: str) -> None:
    request = {"query": "q", "texts": ["a", "b", "c"], "raw_scores": False}
    answer = [{"index": 2, "score": 0.9}, {"index": 0, "score": 0.5}, {"index": 7, "score": 0.1}]

    decoded = decode_exchange(exchange(request, answer, path=path))

    assert features(decoded) == (("query", "texts"), [["q", "a"], ["q", "b"], ["q", "c"]])
    assert outputs(decoded) == (("score",), [[0.5], [None], [0.9]])
    assert decoded.params == {"raw_scores": False}


@pytest.mark.parametrize("answer", [[0.9, 0.5], {"scores": [0.9, 0.5]}], ids=str)
def test_scores_in_the_order_of_the_texts_are_left_in_it(exchange: Make, answer: object) -> None:
    decoded = decode_exchange(exchange({"query": "q", "texts": ["a", "b"]}, answer, path="/rerank"))

    assert outputs(decoded)[1] == [[0.9], [0.5]]


@pytest.mark.parametrize("in_list", [False, True])
def test_a_text_that_was_written_is_told_with_its_details(exchange: Make, *, in_list: bool) -> None:
    details = {"finish_reason": "length", "generated_tokens": 3, "prefill": [], "tokens": [{"id": 1}]}
    answer = {"generated_text": " upon a time", "details": details}

    decoded = decode_exchange(
        exchange({"inputs": "Once", "parameters": {"details": True}}, [answer] if in_list else answer, path=MODEL)
    )

    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == ("Once", " upon a time")
    assert (decoded.generation.finish, decoded.generation.usage) == (("length",), {"output": 3})
    assert outputs(decoded) == (
        ("generated_text", "details.finish_reason", "details.generated_tokens"),
        [[" upon a time", "length", 3]],
    )


def test_the_texts_of_several_questions_are_rows(exchange: Make) -> None:
    answer = [{"generated_text": "x"}, {"generated_text": "y"}]

    decoded = decode_exchange(exchange({"inputs": ["a", "b"]}, answer, path=MODEL))

    assert outputs(decoded) == (("generated_text",), [["x"], ["y"]])
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == ("a", "x")


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/models/distilbert", "distilbert"),
        ("/hf-inference/models/org/name", "org/name"),
        ("/models/org/name/pipeline/feature-extraction", "org/name"),
        ("/models/name/pipeline/feature-extraction", "name"),
        ("/models/churn/predict", ""),
        ("/v1/models/churn", ""),
        ("/pipeline/feature-extraction", ""),
    ],
)
def test_the_path_names_the_model(exchange: Make, path: str, model: str) -> None:
    decoded = decode_exchange(exchange({"inputs": "a"}, [POSITIVE], path=path))

    assert (decoded.protocol, decoded.model) == ("huggingface", model)


@pytest.mark.parametrize(
    ("status", "answer", "kind", "detail"),
    [
        (413, {"error": "batch size", "error_type": "Validation"}, "client", "Validation; batch size"),
        (422, {"error": "tokenization", "error_type": "Tokenizer"}, "client", "Tokenizer; tokenization"),
        (424, {"error": "inference failed", "error_type": "Backend"}, "server", "Backend; inference failed"),
        (429, {"error": "overloaded", "error_type": "Overloaded"}, "client", "Overloaded; overloaded"),
        (503, {"error": "Model x is currently loading", "estimated_time": 20.0}, "server",
         "Model x is currently loading"),
        (200, {"error": "no", "error_type": "Backend"}, "model", "Backend; no"),
    ],
)  # fmt: skip
def test_failures_are_told(exchange: Make, status: int, answer: object, kind: str, detail: str) -> None:
    decoded = decode_exchange(exchange({"inputs": "a"}, answer, path="/embed", status=status))

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == (kind, detail)
    assert features(decoded) == (("inputs",), [["a"]])


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"inputs": [{"a": 1}]}, "/predict"),
        ({"inputs": {"x": [1, 2]}}, MODEL),
        ({"inputs": []}, MODEL),
        ({"query": "q"}, "/rerank"),
        ({"query": "q", "texts": "t"}, "/rerank"),
        ({"age": 3}, MODEL),
    ],
    ids=str,
)
def test_tables_and_other_keys_are_plain_json(exchange: Make, request_: object, path: str) -> None:
    assert decode_exchange(exchange(request_, {"y": 1}, path=path)).protocol == "plain"


def test_an_image_in_base64_is_an_input_too(exchange: Make) -> None:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

    decoded = decode_exchange(exchange({"inputs": png, "parameters": {"top_k": 1}}, [POSITIVE[1]], path=MODEL))

    names, ((image,),) = features(decoded)
    assert decoded.protocol == "huggingface"
    assert names == ("inputs",)
    assert isinstance(image, dict)
    assert (image["format"], image["width"], image["height"]) == ("png", 1, 1)
    assert decoded.params == {"top_k": 1}


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank", "/anything"])
@pytest.mark.parametrize(
    "documents", [["a", "b", "c"], [{"text": "a"}, {"text": "b"}, {"text": "c"}]], ids=["texts", "objects"]
)
def test_documents_are_ranked_as_texts_are(exchange: Make, path: str, documents: list[object]) -> None:
    asked = {"model": "rerank-v3", "query": "q", "documents": documents, "top_n": 2}
    results = [{"index": 2, "relevance_score": 0.9}, {"index": 0, "document": {"text": "a"}, "relevance_score": 0.25}]
    answer = {"id": "r", "results": results, "meta": {"billed_units": {"search_units": 1}}}

    decoded = decode_exchange(exchange(asked, answer, path=path))

    assert decoded.rows == 3
    assert decoded.model == "rerank-v3"
    assert features(decoded)[1] == [["q", text] for text in ("a", "b", "c")]
    assert outputs(decoded) == (("relevance_score",), [[0.25], [None], [0.9]])
