"""Long work in steps: a generator that yields wherever something else may be done meanwhile, and returns what came of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import ParamSpec, TypeAlias, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Steps: TypeAlias = Generator[None, None, Result]


def finished(steps: Steps[Result]) -> Result:
    """What comes of *steps*, all done at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def at_once(in_steps: Callable[Parameters, Steps[Result]]) -> Callable[Parameters, Result]:
    """The function that does all the steps of *in_steps* at once."""

    def whole(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return finished(in_steps(*args, **kwargs))

    whole.__doc__ = in_steps.__doc__
    return whole
