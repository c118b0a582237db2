"""Names under which an answer tells of itself: version, time, duration, request, the size of the picture it was sent."""

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
    r"|(?:inference|processing|execution|compute|server|request)_?(?:ms|millis|milliseconds|secs?|seconds)|warnings|notices"
    r"|(?:total|load|(?:prompt_)?eval)_?duration|(?:prompt_)?eval_?count|done_?reason|billed_?units|token_?usage"
)
_PARENT = re.compile(r"_?meta(?:_?data)?|info|debug|diagnostics|server_?info|usage|billed_?units")
"""What is put beside an answer to tell of it."""
_TIMINGS = re.compile(r"timings?|latenc(?:y|ies)|elapsed")
_PICTURE = r"(?:(?:input|orig(?:inal)?|source)_?)?(?:image|img|picture|photo|frame)|input|orig(?:inal)?|source"
_SIZE = re.compile(
    rf"(?:{_PICTURE})_?(?:width|height|size|shape|dims?|dimensions|resolution|channels|w|h)(?:_?(?:px|pixels))?"
)
"""Of what was sent, which the answer repeats."""
_SIZED = re.compile(rf"(?:{_PICTURE})(?:_?(?:size|shape|dims?|dimensions|info))?")
_IN_SIZED = re.compile(r"(?:width|height|channels|depth|size|shape|w|h)(?:_?(?:px|pixels))?")
_IN_PARENT = re.compile(
    r"(?:[a-z]{1,20}_){0,4}(?:time|latency|elapsed|took|runtime|ms|millis|milliseconds)(?:_?(?:s|secs?|seconds|ms|millis|us|ns))?"
    r"|model(?:_?name)?|device|host(?:_?name)?|worker|node|region|framework|engine|cached|cache_?hit|batch_?size"
    r"|(?:[a-z]{1,20}_){0,3}(?:tokens|units)"
)
_TIME = re.compile(
    r"(?:(?:created|processed|generated|predicted|served|requested|responded|server|request|response|prediction|inference)_?)?"
    r"(?:at|on|time|timestamp|date|date_?time|ts)|now"
)
_NUMBERED = re.compile(
    r"(?:request|trace|correlation|session|span|job|task|log)_?(?:id|uuid|no|number)|id|uuid|path|help|docs?_?(?:url)?"
)


def fact_kind(name: str) -> FactKind:
    """What a column called *name*, dotted where it is nested, may say of an answer; empty: nothing."""
    above, _, last = name.rpartition(".")
    plain, parent = _plain(last.partition("[")[0]), _plain(above.rpartition(".")[2])
    if _ALWAYS.fullmatch(plain) or _TIMINGS.fullmatch(parent):
        return "always"
    if _SIZE.fullmatch(plain) or (_SIZED.fullmatch(parent) and _IN_SIZED.fullmatch(plain)):
        return "always"
    if _PARENT.fullmatch(parent) and _IN_PARENT.fullmatch(plain):
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
