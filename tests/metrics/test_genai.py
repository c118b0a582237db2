from dataclasses import replace

import pytest

from dashlight.metrics.genai import (
    GENERATION_HISTOGRAMS,
    genai_attributes,
    generation_figures,
    provider_of,
    speaks_genai,
)
from dashlight.metrics.generations import generation_times
from dashlight.records import GenerationFacts

FACTS = GenerationFacts(
    operation="chat",
    protocol="openai_chat",
    requested_model="m",
    answered_model="m-2026",
    response_id="c-1",
    settings={"temperature": 0.5, "max_completion_tokens": 64, "n": 2, "conversation": "conv-1", "user": "u"},
    input_tokens=9,
    output_tokens=3,
    approximate=(),
    finish=("stop", "length"),
    tool_calls=1,
    refusals=0,
    is_streamed=True,
)
NOTHING = GenerationFacts(
    operation="", protocol="", requested_model="", answered_model="", response_id="", settings={}, input_tokens=None,
    output_tokens=None, approximate=(), finish=(), tool_calls=0, refusals=0, is_streamed=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        ("gen_ai_latest_experimental", True),
        ("http/dup, gen_ai_latest_experimental", True),
        ("gen_ai_latest_experimental_2", False),
        ("", False),
    ],
    ids=["alone", "among others", "another word", "empty"],
)
def test_it_is_spoken_only_where_it_is_asked_for(said: str, *, speaks: bool) -> None:
    assert speaks_genai({"OTEL_SEMCONV_STABILITY_OPT_IN": said}) is speaks
    assert not speaks_genai({})


def test_everything_known_has_its_name() -> None:
    assert genai_attributes(FACTS, first_byte_seconds=0.25) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": "conv-1",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.choice.count": 2,
        "gen_ai.response.model": "m-2026",
        "gen_ai.response.id": "c-1",
        "gen_ai.response.finish_reasons": ["stop", "length"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 3,
    }


def test_tokens_of_the_cache_and_of_reasoning_are_told_where_there_are_any() -> None:
    facts = replace(FACTS, cache_read_tokens=4, cache_write_tokens=0, reasoning_tokens=2)

    found = genai_attributes(facts, first_byte_seconds=None)

    assert {name: value for name, value in found.items() if name.startswith("gen_ai.usage.")} == {
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }


def test_the_input_of_anthropic_s_api_includes_what_the_cache_held() -> None:
    facts = replace(FACTS, protocol="anthropic_messages", cache_read_tokens=4, cache_write_tokens=7)

    found = genai_attributes(facts, first_byte_seconds=None)

    assert found["gen_ai.usage.input_tokens"] == 20
    assert found["gen_ai.usage.cache_write.input_tokens"] == 7


def test_what_is_to_be_a_whole_number_is_one() -> None:
    settings = {"top_k": 0.5, "seed": 7.0, "max_tokens": 3, "temperature": 1}

    found = genai_attributes(replace(NOTHING, settings=settings), first_byte_seconds=None)

    assert found == {"gen_ai.request.max_tokens": 3, "gen_ai.request.temperature": 1}


def test_a_server_s_metrics_have_the_names_and_bounds_of_the_conventions() -> None:
    times = generation_times(duration_seconds=3.0, first_token_seconds=0.3, seconds_per_token=0.03)

    found = {each.name: each for each in generation_figures(("chat", "openai_chat", "m", "m-1", ""), times)}

    assert found.keys() == GENERATION_HISTOGRAMS.keys()
    for each in found.values():
        assert each.attributes == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-1",
        }
        assert (each.unit, sum(each.counts)) == ("s", 1)
    assert found["gen_ai.server.request.duration"].bounds[-1] == 81.92
    assert found["gen_ai.server.time_to_first_token"].sum == pytest.approx(0.3, rel=0.06)
    assert found["gen_ai.server.time_per_output_token"].sum == pytest.approx(0.03, rel=0.06)


def test_a_failure_has_a_duration_and_a_type_of_error_alone() -> None:
    times = generation_times(duration_seconds=3.0, first_token_seconds=None, seconds_per_token=None)

    (found,) = generation_figures(("chat", "openai_chat", "", "", "503"), times)

    assert found.name == "gen_ai.server.request.duration"
    assert found.attributes == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "error.type": "503",
    }  # fmt: skip


def test_what_is_not_known_is_left_out() -> None:
    assert genai_attributes(NOTHING, first_byte_seconds=0.25) == {}


def test_an_estimate_is_no_usage() -> None:
    found = genai_attributes(replace(FACTS, approximate=("output",)), first_byte_seconds=None)

    assert found["gen_ai.usage.input_tokens"] == 9
    assert "gen_ai.usage.output_tokens" not in found


def test_of_settings_only_what_they_should_be_is_repeated() -> None:
    settings = {"temperature": "my secret", "top_k": True, "n": 1, "conversation": "x" * 200, "seed": 7}

    found = genai_attributes(replace(NOTHING, settings=settings), first_byte_seconds=None)

    assert found == {"gen_ai.request.seed": 7}


@pytest.mark.parametrize(
    ("protocol", "provider"),
    [("openai_responses", "openai"), ("anthropic", "anthropic"), ("tgi", "huggingface"), ("plain", "plain")],
)
def test_the_provider_is_the_one_whose_dialect_is_spoken(protocol: str, provider: str) -> None:
    assert provider_of(protocol) == provider


@pytest.mark.parametrize("said", ["maria@example.com", "4111 1111 1111 1111", "Maria Kowalska", "+48 601 733 912"])
def test_a_conversation_is_not_told_by_what_is_somebodys(said: str) -> None:
    found = genai_attributes(replace(FACTS, settings={"conversation": said}), first_byte_seconds=None)

    assert "gen_ai.conversation.id" not in found
