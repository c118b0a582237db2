"""Names under which an answer tells of itself: its version, when it was made, how long that took, by which request."""

import re
from functools import lru_cache
from typing import Final, Literal, TypeAlias

FactKind: TypeAlias = Literal["always", "time", ""]
"""`time`: where a moment stands under the name."""

_LONGEST: Final = 80
_UNIT = r"(?:_?(?:s|secs?|seconds|ms|millis|milliseconds|us|ns))?"
_ALWAYS = re.compile(
    r"(?:(?:model|api|schema|server|service|app|pipeline|artifact)_?)?version(?:_?(?:id|number))?|revision|git_?sha"
    rf"|(?:(?:inference|processing|prediction|execution|compute|server|request|model)_?)(?:time|latency|duration){_UNIT}"
    rf"|(?:took|latency|elapsed|elapsed_?time|response_?time|time_?taken){_UNIT}|time_?(?:ms|seconds)"
)
_TIME = re.compile(
    r"(?:(?:created|processed|generated|predicted|served|requested|responded|server|request|response|prediction|inference)_?)?"
    r"(?:at|on|time|timestamp|date|date_?time|ts)|now"
)
_NUMBERED = re.compile(
    r"(?:request|trace|correlation|session|span|job|task|log)_?(?:id|uuid|no|number)|id|uuid|path|help|docs?_?(?:url)?"
)


def fact_kind(name: str) -> FactKind:
    """What a field called *name* may say of an answer; empty: nothing."""
    plain = _plain(name)
    if _ALWAYS.fullmatch(plain):
        return "always"
    return "time" if _TIME.fullmatch(plain) else ""


@lru_cache(maxsize=512)
def _is_numbered(name: str) -> bool:
    return _NUMBERED.fullmatch(name) is not None


def is_about_answer(name: str) -> bool:
    """Whether a field called *name* beside a failure is about the answer, and nothing of the model's."""
    return fact_kind(name) != "" or _is_numbered(_plain(name))


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[:_LONGEST]).lower()
