"""A lane: the exchanges of one route and one kind of path, and the plan that fits most of them."""

from collections.abc import Sequence
from typing import Final

from dashlight.decode.compiled.plan import Plan, compile_plan
from dashlight.decode.compiled.shapes import Shape, shape_of, unified
from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.reading import Place
from dashlight.decode.rows.selection import Selection
from dashlight.errors import DecodeError

EXEMPLARS: Final = 16
"""Exchanges from which a plan is made."""
_MISSES = 16
"""Misses after which a plan is looked at again."""
_MISS_SHARE = 0.05
"""Of the exchanges: fewer than this may miss for ever, the general way reads them."""
_WIDENINGS = 8
"""How often a plan may be widened: bodies that keep changing are better read the general way."""
_REST = 256
"""Exchanges until the next attempt after a first failure; doubled with each further one."""
_MAX_DOUBLINGS = 12
_COUNT_OVER = 4096
"""Hits and misses are counted over about so many exchanges."""


class Lane:
    """What is known of the exchanges of one route, and how they are best read."""

    __slots__ = (
        "_failures",
        "_hits",
        "_misses",
        "_rest",
        "_selection",
        "_shapes",
        "_unanswered",
        "_widenings",
        "place",
        "plan",
        "route",
        "start",
    )

    def __init__(
        self, route: str, place: Place, selection: Selection, *, start: tuple[Shape, Shape] | None = None
    ) -> None:
        """*start* are shapes that its requests and answers are known to have, where it is the `unanswered` of another lane."""
        self.route: Final = route
        self.place: Final = place
        self.plan: Plan | None = None
        """None until one is made, and while none fits."""
        self._selection = selection
        self.start: Final = start
        self._shapes: tuple[Shape, Shape] | None = None
        self._unanswered: Lane | None = None
        self._hits = 0
        self._misses = 0
        self._failures = 0
        self._rest = 0
        self._widenings = 0

    @property
    def is_of_unanswered(self) -> bool:
        """Whether it is the `unanswered` of another lane."""
        return self.start is not None

    @property
    def unanswered(self) -> "Lane | None":
        """How requests are read that failed or were refused, and do not fit the plan; None while there is no plan."""
        if self.plan is None or self._shapes is None:
            return None
        if self._unanswered is None or self._unanswered.start is not self._shapes:
            self._unanswered = Lane(self.route, self.place, self._selection, start=self._shapes)
        return self._unanswered

    def learn(self, bodies: Sequence[tuple[bytes, bytes | None]], *, hits: int, misses: int) -> None:
        """Take note of a batch: keep, widen, make or give up the plan.

        Args:
            bodies: Requests and answers that were read, but not by the plan; the first EXEMPLARS matter. An answer is None
                where there was none of the usual kind.
            hits: Exchanges that the plan read.
            misses: Exchanges that it did not, readable or not.
        """
        if self.plan is None:
            self._rest -= misses
            if self._rest <= 0 and bodies:
                self._start(bodies)
            return
        self._hits += hits
        self._misses += misses
        if self._misses >= _MISSES:
            if self._misses > _MISS_SHARE * (self._hits + self._misses):
                self._widen(bodies)
            self._hits = self._misses = 0
        elif self._hits + self._misses > _COUNT_OVER:
            self._hits = self._misses = 0

    def _start(self, bodies: Sequence[tuple[bytes, bytes | None]]) -> None:
        self._shapes = _shapes(bodies, self.start)
        self._widenings = 0
        self.plan = self._compiled()
        if self.plan is None:
            self._give_up()

    def _widen(self, bodies: Sequence[tuple[bytes, bytes | None]]) -> None:
        before, fits_most = self._shapes, self._hits >= self._misses
        widened = _shapes(bodies, before) if self._widenings < _WIDENINGS else None
        if widened is not None and widened != before:
            self._widenings += 1
            self._shapes = widened
            plan = self._compiled()
            if plan is not None:
                self.plan = plan
                return
            self._shapes = before
        if not fits_most:
            self._give_up()

    def _compiled(self) -> Plan | None:
        if self._shapes is None:
            return None
        return compile_plan(*self._shapes, self.place, selection=self._selection)

    def _give_up(self) -> None:
        self.plan = None
        self._rest = _REST << min(self._failures, _MAX_DOUBLINGS)
        self._failures += 1


def _shapes(
    bodies: Sequence[tuple[bytes, bytes | None]], start: tuple[Shape, Shape] | None
) -> tuple[Shape, Shape] | None:
    """The shapes that all of *bodies* have, and *start*; None where there are none."""
    found = start
    for request, answer in bodies[:EXEMPLARS]:
        try:
            asked = shape_of(parse_json(request))
            answered = shape_of(parse_json(answer)) if answer is not None else found and found[1]
        except DecodeError:
            return None
        if asked is None or answered is None:
            return None
        if found is not None:
            asked, answered = unified(found[0], asked), unified(found[1], answered)
            if asked is None or answered is None:
                return None
        found = (asked, answered)
    return found
