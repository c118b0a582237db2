"""What can go wrong, by who must act.

DashlightError
|-- SettingsError       a setting is wrong: the operator corrects the environment
|-- ReferenceDataError  a reference file or training data is unusable: whoever made it makes it anew
|-- CallError           a function was given what it cannot use: whoever called it corrects the call
|-- DecodeError         a body is not what it claims: counted by its reason, never seen by the app
|-- StateError          what processes share cannot be used: they go on alone or begin anew, and say so
`-- MissingExtraError   an optional package is absent: the message says what to install
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb

_MOST_SHOWN = 200
"""Characters of a value in a message."""
_FRAMES = 12


def traced(error: BaseException) -> str:
    """What kind of *error* it was and where it came from, without its message: that may hold a value of a payload."""
    frames = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    return " < ".join([type(error).__name__, *reversed(frames[-_FRAMES:])])


class DashlightError(Exception):
    """Any failure that Dashlight itself reports."""


class SettingsError(DashlightError):
    """Settings cannot be read: names each variable, the value found and what was wanted."""

    def __init__(self, variable: str, found: str, wanted: str) -> None:
        self.variable = variable
        """The one of the first mistake."""
        self.mistakes: tuple[str, ...] = (f"{variable}={_shortened(found)!r}: expected {wanted}",)
        """A sentence for each mistake."""
        super().__init__(self.mistakes[0])

    @classmethod
    def of(cls, errors: Sequence[SettingsError]) -> SettingsError:
        """All of *errors*, at least one, as one: whoever corrects the first should know of the others."""
        one = cls(errors[0].variable, "", "")
        one.mistakes = tuple(dict.fromkeys(mistake for error in errors for mistake in error.mistakes))
        one.args = ("; ".join(one.mistakes),)
        return one


class ReferenceDataError(DashlightError):
    """A reference file or the training data for one cannot be used; *is_newer*: a newer Dashlight may use it."""

    def __init__(self, sentence: str, *, is_newer: bool = False) -> None:
        super().__init__(sentence)
        self.is_newer = is_newer


class CallError(DashlightError):
    """What a function was given cannot be used: names it, what was found and what was wanted."""


class DecodeError(DashlightError):
    """A body that no protocol could turn into columns.

    *reason* is a short word from a closed set (a metric label), *detail* says more to a person.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class StateError(DashlightError):
    """A directory or a file that processes share cannot be used.

    *kind* is a short word from a closed set: `corrupt` and `other_version` of what was read, `not_written` of what
    cannot be kept, `unusable` of a directory. *is_newer* says of another version that it is a later one.
    """

    def __init__(self, kind: str, sentence: str, *, is_newer: bool = False) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.is_newer = is_newer


class MissingExtraError(DashlightError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'dashlight[{extra}]'")


def _shortened(found: str) -> str:
    return found if len(found) <= _MOST_SHOWN else f"{found[:_MOST_SHOWN]}..."
