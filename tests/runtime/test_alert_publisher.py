"""What is logged of incidents."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.owed import LOG, Owed
from dashlight.deliver.delivery import Delivery
from dashlight.records import Alert, Notice, Slice, Transition
from dashlight.runtime.alert_publisher import AlertPublisher

ALERT = Alert("k", "drift", "m", "", "/p", "age", "feature", "firing", "age moved", 100.0, 90.0, 9, 0.5)


class Logged:
    """An incident, and what is logged of it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "dashlight")
        self.owed, self._caplog, self._number = Owed([LOG]), caplog, 0
        self.publisher = AlertPublisher(Delivery(), Couriers((), self.owed), (), numbers=iter(()), shutdown_seconds=0.0)

    def tell(
        self,
        transition: Transition,
        count: int = 1,
        *,
        model: str = "m",
        endpoint: str = "/p",
        found: Slice | None = None,
    ) -> list[str]:
        self._number += 1
        self._caplog.clear()
        self.owed.owe(
            Notice(
                str(self._number),
                "i",
                transition,
                100.0,
                90.0,
                endpoint,
                model,
                "",
                f"{count} moved",
                (replace(ALERT, slice=found),),
                count,
            )
        )
        self.publisher.log()
        return [f"{record.levelname} {record.getMessage()}" for record in self._caplog.records]


def test_a_transition_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logged = Logged(caplog)

    assert logged.tell("firing") == ["WARNING firing: m /p: 1 moved"]
    assert logged.tell("resolved") == ["INFO resolved: m /p: 1 moved"]
    assert logged.tell("firing") == ["WARNING firing: m /p: 1 moved"]


def test_growth_is_a_line_where_it_has_doubled(caplog: pytest.LogCaptureFixture) -> None:
    logged = Logged(caplog)
    logged.tell("firing", 3)

    grown = [logged.tell("changed", count) for count in (4, 5, 6, 7, 11, 12)]

    assert grown == [[], [], ["INFO changed: m /p: 6 moved"], [], [], ["INFO changed: m /p: 12 moved"]]
    assert logged.owed.next(LOG) is None


def test_a_slice_that_is_found_later_is_a_line_once(caplog: pytest.LogCaptureFixture) -> None:
    logged, found = Logged(caplog), Slice("found")
    logged.tell("firing", found=Slice("too_few"))

    told = [logged.tell("changed", found=each) for each in (Slice("none"), found, found)]

    assert told == [[], ["INFO changed: m /p: 1 moved"], []]


def test_what_is_of_no_endpoint_is_of_this_process_and_a_foreign_name_stays_on_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logged = Logged(caplog)

    assert logged.tell("firing", model="", endpoint="") == ["WARNING firing: this process: 1 moved"]
    assert logged.tell("firing", model="a\nb") == ["WARNING firing: a?b /p: 1 moved"]
