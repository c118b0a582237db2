"""Whether a language model answers again what it answered before: stuck models, caches, canned replies. Pure."""

from collections import OrderedDict
from dataclasses import replace
from typing import Final

from dashlight.decode.llm.columns import OUTPUT_TEXT
from dashlight.decode.rows.columns import Sheet

REPEATED_ANSWER: Final = "repeated_answer"
"""The column: true where one of the last answers of the endpoint said the same."""
REMEMBERED: Final = 512
"""Answers of an endpoint."""
MOST_ENDPOINTS: Final = 64
LEAST_CHARACTERS: Final = 20
"""Shorter answers, a yes or a label, repeat themselves in good health."""


class RecentAnswers:
    """The last answers of each endpoint, as fingerprints."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, OrderedDict[int, None]] = OrderedDict()

    def marked(self, endpoint: str, outputs: Sheet) -> Sheet:
        """*outputs* of a language model with the column REPEATED_ANSWER; null where there is no answer of some length.

        Without texts they stay as they are.
        """
        if OUTPUT_TEXT not in outputs.names or REPEATED_ANSWER in outputs.names:
            return outputs
        at = outputs.names.index(OUTPUT_TEXT)
        values = [[*row, self._is_repeated(endpoint, row[at])] for row in outputs.values]
        return replace(outputs, names=(*outputs.names, REPEATED_ANSWER), values=values)

    def _is_repeated(self, endpoint: str, text: object) -> bool | None:
        if not isinstance(text, str) or len(text) < LEAST_CHARACTERS:
            return None
        answers = self._answers(endpoint)
        fingerprint = hash(text)
        is_repeated = fingerprint in answers
        answers[fingerprint] = None
        answers.move_to_end(fingerprint)
        if len(answers) > REMEMBERED:
            answers.popitem(last=False)
        return is_repeated

    def _answers(self, endpoint: str) -> OrderedDict[int, None]:
        answers = self._seen.setdefault(endpoint, OrderedDict())
        self._seen.move_to_end(endpoint)
        if len(self._seen) > MOST_ENDPOINTS:
            self._seen.popitem(last=False)
        return answers
