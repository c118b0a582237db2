"""Answers in lines: a cell for each row that was asked, whether these stand in a line or in one each."""

from collections.abc import Sequence
from dataclasses import replace

from dashlight.decode.formats.csv_body import read_csv
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.reading import Content
from dashlight.errors import DecodeError


def by_rows(answer: Content, request: Content, rows: int) -> Content:
    """*answer* with a row for each of the *rows* asked, where it is one line of as many cells; else as it is.

    What answers separated values as plain text is read as such values.
    """
    lines = _lines(answer, request)
    if lines is None or not lines:
        return answer
    first = lines[0]
    if len(lines) == 1 and is_list(first) and len(first) == rows > 1:
        return replace(answer, value=[[cell] for cell in first])
    if not answer.is_separated and len(lines) == rows > 1:
        return replace(answer, value=list(lines))
    return answer


def _lines(answer: Content, request: Content) -> Sequence[object] | None:
    if answer.is_separated:
        return answer.value if is_list(answer.value) else None
    if not request.is_separated or answer.media_type != "text/plain" or not isinstance(answer.value, str):
        return None
    try:
        lines = read_csv(answer.value, has_header=False)
    except DecodeError:
        return None
    return lines if is_list(lines) else None
