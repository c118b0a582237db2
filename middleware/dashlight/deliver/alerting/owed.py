"""What each route has still to answer for. From any thread; neither sends nor waits."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dashlight.deliver.alerting.names import heir_of
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice

Outcome: TypeAlias = Literal["delivered", "retry", "misconfigured", "rejected"]
"""Taken; not now; not before somebody corrects address or credentials, so that it is tried once a minute; never."""

MOST_OWED = 1000
"""Notices owed to one route: a month of alerts that come and go once an hour."""
LOG = "log"
"""The route into the log of the app: no delivery, so that it does not count as one."""
_PATIENCE = 3
"""Attempts in vain, after which others have their turn: what a route cannot bear keeps nothing else from it."""
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
        self._failures: dict[str, Counter[str]] = {name: Counter() for name in self._owed}
        """By route, how often each notice was tried in vain."""
        self._fates: Counter[SignalFate] = Counter()
        self.is_open = False
        """Whether this process judges: only then does it deliver."""

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
                        self._end(route, each.id)
                waiting[notice.id] = notice
                if len(waiting) > MOST_OWED:
                    self._make_room(route)

    def release(self) -> None:
        """Hands out from now on what was held."""
        with self._lock:
            self._held.clear()

    def next(self, route: str) -> Notice | None:
        """The oldest notice that *route* has not answered for; None where there is none.

        One that was tried in vain a few times lets those of other incidents go first.
        """
        with self._lock:
            firsts: dict[str, Notice] = {}
            for each in self._owed.get(route, {}).values():
                if each.id not in self._held:
                    firsts.setdefault(each.key, each)
            if not firsts:
                return None
            failures = self._failures[route]
            chosen = min(firsts.values(), key=lambda each: failures[each.id] // _PATIENCE)
            self._under_way[route] = chosen.id
            return chosen

    def settle(self, route: str, notice_id: str, verdict: Verdict) -> None:
        """Takes what came of an attempt; what was `delivered` or `rejected` is owed no longer."""
        with self._lock:
            if self._under_way.get(route) == notice_id:
                del self._under_way[route]
            if notice_id not in self._owed.get(route, ()):
                return  # another process judges by now, and settles it
            if verdict.outcome in ("delivered", "rejected"):
                self._end(route, notice_id)
                if route != LOG:
                    self._fates[SignalFate("alerts", verdict.outcome, part=route)] += 1
            else:
                self._failures[route][notice_id] += 1

    def in_force(self) -> tuple[Notice, ...]:
        """The last notice of each incident and alert that is not over, handed out or not."""
        with self._lock:
            return tuple(self._in_force.values())

    def count(self, route: str) -> int:
        """How many notices are owed to *route*."""
        return len(self._owed.get(route, ()))

    def counts(self) -> dict[str, int]:
        """How many notices are owed, by route; the log is none."""
        return {route: len(waiting) for route, waiting in self._owed.items() if route != LOG}

    def fates(self) -> dict[SignalFate, int]:
        """What became of notices since the start, by route."""
        with self._lock:
            return dict(self._fates)

    def open(self) -> None:
        """Has what is owed delivered: this process judges."""
        self.is_open = True

    def clear(self) -> None:
        """Lets go of everything, and delivers no more: another process has it."""
        self.is_open = False
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        for route, waiting in self._owed.items():
            waiting.clear()
            self._failures[route].clear()
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
        notices = {notice.id: notice for notice in state.notices}
        with self._lock:
            self._forget()
            for route, ids in state.routes.items():
                heir = route if route in self._owed else heir_of(route, state.routes, self._owed)
                if heir is not None:
                    self._owed[heir] = {each: notices[each] for each in ids}
                elif ids:
                    self._fates[SignalFate("alerts", "dropped", "no_route", part=route)] += len(ids)
                    logger.error("%d alerts were owed to %s, which is not configured any more", len(ids), route)
            self._in_force = {notices[each].key: notices[each] for each in state.in_force}

    def _end(self, route: str, notice_id: str) -> None:
        del self._owed[route][notice_id]
        self._failures[route].pop(notice_id, None)

    def _movable(self, route: str) -> list[Notice]:
        """What is owed to *route*, but for what is under way."""
        return [each for each in self._owed[route].values() if each.id != self._under_way.get(route)]

    def _make_room(self, route: str) -> None:
        """Ends the oldest renewal; where there is none, the latest that is over and was never told; else the oldest."""
        waiting = self._movable(route)
        given_up = next(([each] for each in waiting if each.transition == "changed"), None)
        given_up = given_up or next(_untold(waiting), None) or waiting[:1]
        for each in given_up:
            self._end(route, each.id)
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
    for notice in state.notices:
        if not notice.alerts or notice.alert_count < len(notice.alerts):
            raise ValueError(f"{notice.key} with {len(notice.alerts)} of {notice.alert_count} alerts")
    keys = [notices[each].key for each in state.in_force]
    if len(set(keys)) != len(keys):
        raise ValueError("one incident in force twice")
    for each in state.in_force:
        if notices[each].transition == "resolved":
            raise ValueError(f"{notices[each].key} in force, but resolved")
