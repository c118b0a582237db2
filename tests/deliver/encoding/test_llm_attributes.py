from dashlight.deliver.encoding.llm_attributes import llm_attributes
from dashlight.records import GenerationFacts


def facts(*, is_streamed: bool, known: bool = True) -> GenerationFacts:
    return GenerationFacts(
        operation="chat" if known else "",
        protocol="openai_chat",
        requested_model="m",
        answered_model="",
        response_id="",
        settings={},
        input_tokens=9 if known else None,
        output_tokens=3 if known else None,
        approximate=("output",) if known else (),
        finish=("stop",) if known else (),
        tool_calls=2 if known else 0,
        refusals=1 if known else 0,
        is_streamed=is_streamed,
    )


def test_a_stream_has_its_times() -> None:
    assert llm_attributes(facts(is_streamed=True), first_byte_seconds=0.25, seconds_per_output_token=0.125) == {
        "dashlight.llm.operation": "chat",
        "dashlight.llm.streamed": True,
        "dashlight.llm.time_to_first_token": 0.25,
        "dashlight.llm.time_per_output_token": 0.125,
        "dashlight.llm.input_tokens": 9,
        "dashlight.llm.output_tokens": 3,
        "dashlight.llm.approximate_tokens": ["output"],
        "dashlight.llm.finish_reasons": ["stop"],
        "dashlight.llm.tool_calls": 2,
        "dashlight.llm.refusals": 1,
    }


def test_the_first_byte_of_a_whole_answer_is_no_token() -> None:
    found = llm_attributes(
        facts(is_streamed=False, known=False), first_byte_seconds=0.25, seconds_per_output_token=None
    )

    assert found == {"dashlight.llm.streamed": False}
