"""Real clients and real hosts: what they are told is what they were told before, and what Dashlight makes of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import pytest

JSON = "application/json"
PREDICTION = "dashlight.prediction"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Good evening"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
TWO_PORTS = [sys.executable, "-m", "two_ports"]


@dataclass(frozen=True)
class Pair:
    """Two servers that are the same but for one line."""

    watched: str
    bare: str
    collector: Any

    def ask(self, question: Callable[[str], Any]) -> Any:
        """The answer that both give to *question*, which is asked of a base URL."""
        answers = question(self.watched), question(self.bare)
        assert answers[0] == answers[1]
        return answers[0]

    def event(self, key: str, value: str) -> dict[str, Any]:
        """The attributes of the one event of which an attribute is this."""
        found: list[dict[str, Any]] = self.collector.wait_until(
            "event",
            lambda items: [
                item["attributes"]
                for item in items
                if item["name"] == PREDICTION and item["attributes"].get(key) == value
            ],
        )
        assert len(found) == 1, found
        return found[0]


def needed(package: str) -> ModuleType:
    """The client that a test is about."""
    try:
        return import_module(package)
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail(f"the package {package} is missing, and with it the proof against a real one")
        pytest.skip(f"needs the package {package.partition('.')[0]}")


def environ(collector: Any) -> dict[str, str]:
    return {
        "DASHLIGHT_COLLECTOR": f"{collector.url}/v1/logs",
        "DASHLIGHT_PAYLOADS": "features",
        "DASHLIGHT_SAMPLE_RATE": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@pytest.fixture(scope="module")
def models(twins: Callable[..., Any], shared_collector: Any) -> Iterator[Pair]:
    """Our own model servers, which say what the interfaces want said."""
    command = [*TWO_PORTS, "model_servers", "{port}", "{bare_port}"]
    with twins(command, environ=environ(shared_collector)) as (watched, bare):
        yield Pair(watched, bare, shared_collector)


@pytest.fixture(scope="module")
def mlflow_server(twins: Callable[..., Any], shared_collector: Any) -> Iterator[Pair]:
    """MLflow's scoring server."""
    needed("mlflow")
    needed("pandas")
    command = [*TWO_PORTS, "mlflow_host", "{port}", "{bare_port}"]
    with twins(command, environ=environ(shared_collector), health="/ping") as (watched, bare):
        yield Pair(watched, bare, shared_collector)


@pytest.fixture(scope="module")
def litserve_server(twins: Callable[..., Any], shared_collector: Any) -> Iterator[Pair]:
    """LitServe."""
    needed("litserve")
    ports = {"watched": "{port}", "bare": "{bare_port}"}
    commands = [[sys.executable, "-m", "litserve_host", port, how] for how, port in ports.items()]
    with twins(*commands, environ=environ(shared_collector), health="/health") as (watched, bare):
        yield Pair(watched, bare, shared_collector)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that would go through a proxy even to this machine do not."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def openai_at(url: str, case: str = "") -> Any:
    return needed("openai").OpenAI(base_url=f"{url}{case}/v1", api_key="a-secret-key", max_retries=0)


def anthropic_at(url: str, case: str) -> Any:
    return needed("anthropic").Anthropic(base_url=f"{url}{case}", api_key="a-secret-key", max_retries=0)


def hugging_face_at(url: str) -> Any:
    return needed("huggingface_hub").InferenceClient(model=url)


def test_openai_chat(models: Pair) -> None:
    def question(url: str) -> Any:
        with openai_at(url, "/whole") as client:
            return client.chat.completions.create(model="small-1", messages=MESSAGES).model_dump()

    answer = models.ask(question)

    event = models.event("http.route", "/whole/v1/chat/completions")
    inputs, outputs = event["dashlight.inputs"], event["dashlight.outputs"]
    assert answer["choices"][0]["message"]["content"] == "You said: Good evening"
    assert (event["dashlight.protocol"], event["dashlight.model.name"], event["dashlight.rows"]) == (
        "openai_chat",
        "small-1",
        1,
    )
    assert (inputs["input_text"], inputs["messages"], inputs["streamed"]) == ("Good evening", 2, False)
    assert (outputs["output_text"], outputs["finish_reason"], outputs["output_tokens"]) == (
        "You said: Good evening",
        "stop",
        7,
    )
    assert "a-secret-key" not in repr(event)


def test_openai_stream(models: Pair) -> None:
    def question(url: str) -> Any:
        options = {"include_usage": True}
        with openai_at(url, "/streamed") as client:
            stream = client.chat.completions.create(
                model="small-1", messages=MESSAGES, stream=True, stream_options=options
            )
            return [chunk.model_dump() for chunk in stream]

    chunks = models.ask(question)

    event = models.event("http.route", "/streamed/v1/chat/completions")
    inputs, outputs = event["dashlight.inputs"], event["dashlight.outputs"]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks[:3]] == ["Good", " mor", "ning"]
    assert (event["dashlight.protocol"], inputs["streamed"], inputs["input_tokens"]) == ("openai_chat", True, 5)
    assert (outputs["output_text"], outputs["finish_reason"], outputs["output_tokens"]) == ("Good morning", "stop", 3)


def test_openai_tools(models: Pair) -> None:
    def question(url: str) -> Any:
        with openai_at(url, "/tools") as client:
            return client.chat.completions.create(model="small-1", messages=MESSAGES, tools=[TOOL]).model_dump()

    answer = models.ask(question)

    event = models.event("http.route", "/tools/v1/chat/completions")
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"city": "Oslo"}'
    assert event["dashlight.inputs"]["tools"] == 1
    assert event["dashlight.outputs"]["tool_calls"] == 1
    assert event["dashlight.outputs"]["finish_reason"] == "tool_calls"
    assert event["dashlight.outputs"]["empty_answer"] is False


def test_an_error_that_openai_raises_is_told(models: Pair) -> None:
    openai = needed("openai")

    def question(url: str) -> Any:
        with openai_at(url, "/busy") as client, pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="small-1", messages=MESSAGES)
        return caught.value.body

    answer = models.ask(question)

    event = models.event("http.route", "/busy/v1/chat/completions")
    assert answer["code"] == "busy"
    assert event["http.response.status_code"] == 429
    assert "dashlight.outputs" not in event


def test_an_error_in_the_middle_of_a_stream_is_a_failure(models: Pair) -> None:
    openai = needed("openai")

    def question(url: str) -> Any:
        with openai_at(url, "/breaking") as client, pytest.raises(openai.APIError) as caught:
            list(client.chat.completions.create(model="small-1", messages=MESSAGES, stream=True))
        return str(caught.value)

    answer = models.ask(question)

    event = models.event("http.route", "/breaking/v1/chat/completions")
    assert answer == "out of memory"
    assert (event["http.response.status_code"], event["error.type"]) == (200, "stream")
    assert "dashlight.outputs" not in event


def test_openai_embeddings_as_the_client_asks_for_them(models: Pair) -> None:
    def question(url: str) -> Any:
        with openai_at(url) as client:
            return client.embeddings.create(model="embed-1", input=["one", "three"]).model_dump()

    answer = models.ask(question)

    event = models.event("http.route", "/v1/embeddings")
    assert [each["embedding"] for each in answer["data"]] == [[3.5, 0.25, -1.0], [5.5, 0.25, -1.0]]
    assert (event["dashlight.protocol"], event["dashlight.rows"], event["dashlight.model.name"]) == (
        "openai_embeddings",
        2,
        "embed-1",
    )
    assert event["dashlight.inputs"] == {"input": ["one", "three"]}
    assert event["dashlight.outputs"] == {"embedding": [[3.5, 0.25, -1.0], [5.5, 0.25, -1.0]]}


def test_anthropic_message(models: Pair) -> None:
    def question(url: str) -> Any:
        with anthropic_at(url, "/whole") as client:
            return client.messages.create(model="claude-small", max_tokens=50, messages=MESSAGES[1:]).model_dump()

    answer = models.ask(question)

    event = models.event("http.route", "/whole/v1/messages")
    outputs = event["dashlight.outputs"]
    assert answer["content"][0]["text"] == "You said: Good evening"
    assert (event["dashlight.protocol"], event["dashlight.model.name"]) == ("anthropic", "claude-small")
    assert event["dashlight.inputs"]["input_text"] == "Good evening"
    assert (outputs["output_text"], outputs["finish_reason"], outputs["output_tokens"]) == (
        "You said: Good evening",
        "end_turn",
        6,
    )


def test_anthropic_stream(models: Pair) -> None:
    def question(url: str) -> Any:
        with (
            anthropic_at(url, "/streamed") as client,
            client.messages.stream(model="claude-small", max_tokens=50, messages=MESSAGES[1:]) as stream,
        ):
            return list(stream.text_stream), stream.get_final_message().model_dump()

    pieces, answer = models.ask(question)

    event = models.event("http.route", "/streamed/v1/messages")
    outputs = event["dashlight.outputs"]
    assert (pieces, answer["stop_reason"]) == (["Good", " morning"], "max_tokens")
    assert event["dashlight.inputs"]["streamed"] is True
    assert (outputs["output_text"], outputs["finish_reason"], outputs["output_tokens"]) == (
        "Good morning",
        "max_tokens",
        9,
    )


def test_hugging_face_classifies_a_text(models: Pair) -> None:
    answer = models.ask(
        lambda url: [dict(each) for each in hugging_face_at(f"{url}/sentiment").text_classification("Fine!")]
    )

    event = models.event("http.route", "/sentiment")
    assert answer[-1] == {"label": "positive", "score": 0.8}
    assert event["dashlight.protocol"] == "huggingface"
    assert event["dashlight.inputs"] == {"inputs": "Fine!"}
    # The best, although it is not the first.
    assert event["dashlight.outputs"] == {"label": "positive", "score": 0.8}


def test_hugging_face_classifies_an_image_sent_without_a_type(models: Pair, png: bytes) -> None:
    answer = models.ask(
        lambda url: [dict(each) for each in hugging_face_at(f"{url}/picture").image_classification(png)]
    )

    event = models.event("http.route", "/picture")
    [image] = event["dashlight.inputs"].values()
    assert answer[0] == {"label": "cat", "score": 0.9}
    assert (image["format"], image["width"], image["height"], image["bytes"]) == ("png", 4, 2, len(png))
    assert event["dashlight.outputs"] == {"label": "cat", "score": 0.9}


def test_hugging_face_continues_a_text(models: Pair) -> None:
    answer = models.ask(lambda url: hugging_face_at(f"{url}/write").text_generation("Once upon", max_new_tokens=9))

    event = models.event("http.route", "/write")
    assert answer == "Once upon and so on"
    assert event["dashlight.inputs"]["input_text"] == "Once upon"
    assert event["dashlight.outputs"]["output_text"] == "Once upon and so on"


@pytest.mark.parametrize("coding", [None, "gzip"], ids=["as it is", "gzip"])
def test_triton_sends_and_gets_binary_tensors(models: Pair, coding: str | None) -> None:
    np, triton = needed("numpy"), needed("tritonclient.http")
    model = f"iris-{coding}"

    def question(url: str) -> Any:
        tensor = triton.InferInput("x", [2, 3], "FP32")
        tensor.set_data_from_numpy(np.array([[1, 2, 3], [4, 5, 6.5]], np.float32))
        client = triton.InferenceServerClient(url.removeprefix("http://"))
        try:
            result = client.infer(model, [tensor], request_compression_algorithm=coding)
            return result.as_numpy("total").tolist(), result.get_response()["model_version"]
        finally:
            client.close()

    answer = models.ask(question)

    event = models.event("dashlight.model.name", model)
    assert answer == ([[6.0], [15.5]], "3")
    assert event["http.route"] == "/v2/models/{model}/infer"
    assert (event["dashlight.protocol"], event["dashlight.model.version"], event["dashlight.rows"]) == (
        "kserve_v2",
        "3",
        2,
    )
    assert event["dashlight.inputs"] == {"x[0]": [1.0, 4.0], "x[1]": [2.0, 5.0], "x[2]": [3.0, 6.5]}
    assert event["dashlight.outputs"] == {"total": [6.0, 15.5]}


def posted(url: str, path: str, body: bytes, content_type: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of an answer, but for those that tell the time or the program."""
    answer = httpx.post(f"{url}{path}", content=body, headers={"content-type": content_type}, trust_env=False)
    told = {name: said for name, said in answer.headers.items() if name not in {"date", "server"}}
    return answer.status_code, answer.text, told


SPLIT = b'{"dataframe_split": {"columns": ["rooms", "area"], "data": [[2, 50.5], [3, 70]]}}'
RECORDS = b'{"dataframe_records": [{"rooms": 2, "area": 50.5}, {"rooms": 3, "area": 70}]}'
CSV = b"rooms,area\n2,50.5\n3,70\n"
NOTHING = b'{"rooms": 2}'


def test_mlflow_serves_what_it_served_and_every_format_is_read(mlflow_server: Pair) -> None:
    answers = [
        mlflow_server.ask(partial(posted, path="/invocations", body=body, content_type=content_type))
        for body, content_type in [(SPLIT, JSON), (RECORDS, JSON), (CSV, "text/csv"), (NOTHING, JSON)]
    ]

    events = mlflow_server.collector.wait_until(
        "event",
        lambda items: [
            item["attributes"]
            for item in sorted(items, key=lambda item: item["at"])
            if item["attributes"].get("http.route") == "/invocations"
        ],
        count=4,
    )
    assert [status for status, _, _ in answers] == [200, 200, 200, 400]
    assert [event["http.response.status_code"] for event in events] == [200, 200, 200, 400]
    for event in events[:3]:
        assert event["dashlight.rows"] == 2
        assert event["dashlight.inputs"] == {"rooms": [2, 3], "area": [50.5, 70]}
        assert list(event["dashlight.outputs"].values()) == [[250.5, 370.0]]
    assert [event["dashlight.protocol"] for event in events[:2]] == ["mlflow", "mlflow"]
    assert "dashlight.outputs" not in events[3]


def test_litserve_serves_what_it_served_and_its_workers_failures_count(litserve_server: Pair) -> None:
    bodies = [b'{"input": 3.0}', b'{"input": "no number"}']

    answers = [litserve_server.ask(partial(posted, path="/predict", body=body, content_type=JSON)) for body in bodies]

    events = litserve_server.collector.wait_until(
        "event",
        lambda items: [item["attributes"] for item in items if item["attributes"].get("http.route") == "/predict"],
        count=2,
    )
    assert [answer[:2] for answer in answers] == [(200, '{"output":9.0}'), (500, '{"detail":"Internal server error"}')]
    assert events[0]["dashlight.inputs"] == {"input": 3.0}
    assert events[0]["dashlight.outputs"] == {"output": 9.0}
    assert (events[1]["dashlight.outcome"], events[1]["error.type"]) == ("error", "500")
