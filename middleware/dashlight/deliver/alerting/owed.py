"""What each route has still to answer for. From any thread; neither sends nor waits."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice

Outcome: TypeAlias = Literal["delivered", "retry", "misconfigured", "rejected"]
"""Taken; not now; not before somebody corrects address or credentials, so that it is tried once a minute; never."""

MOST_OWED = 1000
"""Notices owed to one route: a month of alerts that come and go once an hour."""
MOST_IN_FORCE = 2100
"""As many alerts and incidents as can be in force."""

logger = logging.getLogger("dashlight")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt to deliver a notice led to."""

    outcome: Outcome
    retry_after_seconds: float | None = None
    """How long the route asked to be left alone."""
    reason: str = ""
    """Of a failure, for the log: never an address with its secrets."""


DELIVERED = Verdict("delivered")


@dataclass(frozen=True, slots=True, eq=False)
class OwedState:
    """What outlives the process: notices, each once, and who has not answered for which."""

    notices: tuple[Notice, ...] = ()
    """Those that are owed or in force."""
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Ids of what is owed to each route, the oldest first."""
    in_force: tuple[str, ...] = ()
    """Ids of the last notice of what is not over."""


class Owed:
    """The notices that routes have not answered for, and the last notice of all that is in force."""

    def __init__(self, routes: Iterable[str] = ()) -> None:
        """*routes* are their names."""
        self._lock = threading.Lock()
        self._owed: dict[str, dict[str, Notice]] = {name: {} for name in routes}
        self._in_force: dict[str, Notice] = {}
        self._held: set[str] = set()
        self._under_way: dict[str, str] = {}
        """By route, the id of what was handed out and not settled."""
        self._fates: Counter[SignalFate] = Counter()

    def owe(self, notice: Notice, *, held: bool = False) -> None:
        """Owes *notice* to every route. A renewal takes the place of one of the same key that waits, a transition never.

        *held*: it is not handed out before `release`; until then a checkpoint is written that holds it.
        """
        with self._lock:
            if notice.transition == "resolved":
                self._in_force.pop(notice.key, None)
            else:
                self._in_force[notice.key] = notice
            if held:
                self._held.add(notice.id)
            for route, waiting in self._owed.items():
                for each in self._movable(route) if notice.transition == "changed" else ():
                    if each.key == notice.key and each.transition == "changed":
                        del waiting[each.id]
                waiting[notice.id] = notice
                if len(waiting) > MOST_OWED:
                    self._make_room(route)

    def release(self) -> None:
        """Hands out from now on what was held."""
        with self._lock:
            self._held.clear()

    def next(self, route: str) -> Notice | None:
        """The oldest notice that *route* has not answered for; None where there is none."""
        with self._lock:
            first = next(iter(self._owed.get(route, {}).values()), None)
            if first is None or first.id in self._held:
                return None
            self._under_way[route] = first.id
            return first

    def settle(self, route: str, notice_id: str, verdict: Verdict) -> None:
        """Takes what came of an attempt; what was `delivered` or `rejected` is owed no longer."""
        with self._lock:
            if self._under_way.get(route) == notice_id:
                del self._under_way[route]
            # What is owed no longer is the next judge's to settle.
            if verdict.outcome in {"delivered", "rejected"} and notice_id in self._owed.get(route, ()):
                del self._owed[route][notice_id]
                self._fates[SignalFate("alerts", verdict.outcome, part=route)] += 1

    def in_force(self) -> tuple[Notice, ...]:
        """The last notice of each incident and alert that is not over, handed out or not."""
        with self._lock:
            return tuple(self._in_force.values())

    def count(self, route: str) -> int:
        """How many notices are owed to *route*."""
        return len(self._owed.get(route, ()))

    def counts(self) -> dict[str, int]:
        """How many notices are owed, by route."""
        return {route: len(waiting) for route, waiting in self._owed.items()}

    def fates(self) -> dict[SignalFate, int]:
        """What became of notices since the start, by route."""
        with self._lock:
            return dict(self._fates)

    def clear(self) -> None:
        """Lets go of everything: another process has it."""
        with self._lock:
            for waiting in self._owed.values():
                waiting.clear()
            self._in_force.clear()
            self._held.clear()
            self._under_way.clear()

    @property
    def state(self) -> OwedState:
        """What outlives the process."""
        with self._lock:
            notices = {notice.id: notice for notice in self._in_force.values()}
            for waiting in self._owed.values():
                notices |= waiting
            routes = {route: tuple(waiting) for route, waiting in self._owed.items()}
            return OwedState(tuple(notices.values()), routes, tuple(notice.id for notice in self._in_force.values()))

    def restore(self, state: OwedState) -> None:
        """Goes on from *state*. What it owes to a route that is there no longer ends, counted, with one line of the log.

        Raises:
            ValueError: a state that cannot be; nothing of it was taken then.
        """
        check_owed(state)
        self.clear()
        notices = {notice.id: notice for notice in state.notices}
        with self._lock:
            for route, ids in state.routes.items():
                if route in self._owed:
                    self._owed[route] = {each: notices[each] for each in ids}
                elif ids:
                    self._fates[SignalFate("alerts", "dropped", "no_route", part=route)] += len(ids)
                    logger.error("%d alerts were owed to %s, which is not configured any more", len(ids), route)
            self._in_force = {notices[each].key: notices[each] for each in state.in_force}

    def _movable(self, route: str) -> list[Notice]:
        """What is owed to *route*, but for what is under way."""
        return [each for each in self._owed[route].values() if each.id != self._under_way.get(route)]

    def _make_room(self, route: str) -> None:
        """Ends the oldest renewal; where there is none, the latest that is over and was never told; else the oldest."""
        waiting = self._movable(route)
        given_up = next(([each] for each in waiting if each.transition == "changed"), None)
        given_up = given_up or next(_untold(waiting), None) or waiting[:1]
        for each in given_up:
            del self._owed[route][each.id]
        fate = SignalFate("alerts", "dropped", "too_many_owed", part=route)
        if fate not in self._fates:
            logger.error("more than %d alerts wait for %s: the counts tell how many are given up", MOST_OWED, route)
        self._fates[fate] += len(given_up)


def _untold(waiting: Sequence[Notice]) -> Iterator[list[Notice]]:
    """What waits of incidents that began and ended meanwhile, the latest first."""
    began = {each.key: each for each in waiting if each.transition == "firing"}
    for each in reversed(waiting):
        if each.transition == "resolved" and each.key in began and began[each.key].at <= each.at:
            yield [began[each.key], each]


def check_owed(state: OwedState) -> None:
    """Raises ValueError where what *state* says does not agree."""
    notices = {notice.id: notice for notice in state.notices}
    if len(notices) != len(state.notices):
        raise ValueError("two notices of one id")
    if len(state.in_force) > MOST_IN_FORCE:
        raise ValueError(f"{len(state.in_force)} notices in force: expected {MOST_IN_FORCE} at most")
    for route, ids in state.routes.items():
        if len(ids) > MOST_OWED:
            raise ValueError(f"{len(ids)} notices owed to {route}: expected {MOST_OWED} at most")
        if len(set(ids)) != len(ids):
            raise ValueError(f"a notice owed to {route} twice")
    listed = {each for ids in (*state.routes.values(), state.in_force) for each in ids}
    if listed != notices.keys():
        raise ValueError("notices that nobody waits for, or that are missing")
    keys = [notices[each].key for each in state.in_force]
    if len(set(keys)) != len(keys):
        raise ValueError("one incident in force twice")
    for each in state.in_force:
        if notices[each].transition == "resolved":
            raise ValueError(f"{notices[each].key} in force, but resolved")
