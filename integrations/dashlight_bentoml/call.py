"""One call of an API: what is known of it, and where that goes."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter

from dashlight import hand_over, record
from dashlight_bentoml.foreign import Request, Scope
from dashlight_bentoml.values import MOST_ROWS, Stills

KEY = "dashlight.bentoml"
"""Key of the Call in the scope of its request; of a request that is no call of an API there is none."""
TIMEOUT = "TimeoutError"
"""What the end of a request is called that took longer than `traffic.timeout`."""


class Fate:
    """How a request ends for its client, seen from outside of everything that BentoML puts around an API."""

    __slots__ = ("reached", "status")

    def __init__(self) -> None:
        self.reached = False
        """Whether it came as far as our middleware."""
        self.status = 0
        """What the client is told; 0 until then."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a monitor has named, a mapping a row; empty where it named nothing."""

    features: list[dict[str, object]]
    predictions: list[dict[str, object]]


class Call:
    """A request to an API, from our middleware until its answer has gone; of a task, until its work is done."""

    __slots__ = (
        "_began", "_error", "_failure", "_fate", "_inputs", "_model", "_outputs", "_rows", "_rows_of", "_scope",
        "_version", "asked", "is_open", "is_task", "stills", "task_status",
    )  # fmt: skip

    def __init__(self, scope: Scope, fate: Fate | None, *, model: str, version: str, is_task: bool) -> None:
        self._scope, self._fate = scope, fate
        self._model, self._version = model, version
        self._began = perf_counter()
        self._inputs: object = None
        self._outputs: object = None
        self._failure = self._error = ""
        self._rows = Rows([], [])
        self._rows_of = ""
        self.asked: object = None
        """Copies of the arguments, until the answer tells whether one of them is a table."""
        self.is_task = is_task
        self.is_open = True
        self.stills = Stills()
        self.task_status = 0
        """What the work of a task came to; 0 while it has not ended."""

    def is_watched(self) -> bool:
        """Whether anybody takes what it would give: not where monitoring is off, or its path excluded."""
        return self.is_task or hand_over(self._scope)

    def give(self, *, inputs: object = None, outputs: object = None, failure: str = "") -> None:
        """Hands on what the specs of the API say; what a monitor has named goes before that."""
        inputs = self._rows.features or inputs
        outputs = self._rows.predictions or outputs
        if self.is_task:
            self._inputs = self._inputs if inputs is None else inputs
            self._outputs = self._outputs if outputs is None else outputs
            self._failure = failure or self._failure
        else:
            hand_over(
                self._scope, inputs=inputs, outputs=outputs, model=self._model, version=self._version, failure=failure
            )

    def take_rows(self, monitor: str, rows: Rows) -> bool:
        """Takes rows of one *monitor*, as often as they come; False where another has come first or it is too late."""
        if not self.is_open or self._rows_of not in {"", monitor}:
            return False
        self._rows_of = monitor
        self._rows.features.extend(rows.features[: MOST_ROWS - len(self._rows.features)])
        self._rows.predictions.extend(rows.predictions[: MOST_ROWS - len(self._rows.predictions)])
        self.give()
        return True

    def fail(self, error: BaseException) -> None:
        """Notes the exception that BentoML makes an answer of."""
        if self.is_task:
            self._error = type(error).__qualname__
        elif not self.overtake():
            hand_over(self._scope, error=type(error).__qualname__)

    def overtake(self) -> bool:
        """Whether the client has been answered from outside meanwhile, on a timeout: that then is the end of it."""
        status = self._fate.status if self._fate is not None else 0
        if status and not self.is_task:
            hand_over(self._scope, model=self._model, version=self._version, status=status, error=TIMEOUT)
        return bool(status)

    def conclude(self, path: str, status: int) -> None:
        """Counts a task whose request was answered with *status*: its work as an exchange of the API at *path*."""
        record(
            # Its scope was sent to the route of the submission.
            {**self._scope, "path": path, "path_template": path},
            status=self.task_status or status,
            duration_seconds=perf_counter() - self._began,
            inputs=self._inputs,
            outputs=self._outputs,
            model=self._model,
            version=self._version,
            failure=self._failure,
            error=self._error,
        )


current: ContextVar[Call | None] = ContextVar("dashlight_bentoml_call", default=None)
"""The call within which code runs."""
SILENT = Call({}, None, model="", version="", is_task=False)
"""Stands for a call that is not counted by itself: one API calling another of its own service, or a batch of many."""
SILENT.is_open = False


def call_of(request: Request) -> Call | None:
    """The call of *request*; of a task that is tried again, which comes with a request of its own, the one that tries."""
    found = request.scope.get(KEY)
    if found is None:
        within = current.get()
        return within if within is not None and within.is_task else None
    return found if isinstance(found, Call) else None
