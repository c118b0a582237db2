from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.encoding.identifiers import span_id_text, trace_id_text, uuid_text


@given(st.integers(0, 2**128 - 1))
def test_a_uuid_is_written_as_the_standard_library_does(identifier: int) -> None:
    assert uuid_text(identifier).decode() == str(UUID(int=identifier))


def test_ids_of_traces_and_spans_are_padded_hexadecimal() -> None:
    assert (trace_id_text(0xABC), span_id_text(0xDEF)) == ("0" * 29 + "abc", "0" * 13 + "def")


def test_an_id_that_is_not_there_is_nothing() -> None:
    assert (trace_id_text(0), span_id_text(0)) == ("", "")
