from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.transport.answer import CollectorAnswer, Failure
from dashlight.deliver.transport.retry import Meaning, backoff_seconds, meaning, retry_after_seconds

NOON = 1_790_078_400.0  # Tue, 22 Sep 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([200, 202, 204, 299], "delivered"),
        ([429, 500, 502, 503, 504, 507, 520, 521, 530], "retry"),
        ([413], "too_large"),
        ([400, 415, 422], "poisoned"),
        ([301, 302, 307, 401, 403, 404, 405, 407], "misconfigured"),
        ([402, 409, 410, 451, 408, 425, 501, 505], "rejected"),
    ],
    ids=["delivered", "retry", "too large", "poisoned", "misconfigured", "rejected"],
)
def test_an_answer_in_otlp_means(statuses: list[int], expected: Meaning) -> None:
    assert {meaning(CollectorAnswer(status), speaks_otlp=True) for status in statuses} == {expected}


@pytest.mark.parametrize("status", [408, 425, 500, 503])
def test_other_formats_try_again_where_otlp_would_not(status: int) -> None:
    assert meaning(CollectorAnswer(status), speaks_otlp=False) == "retry"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("unreachable", "retry"),
        ("timeout", "retry"),
        ("cut", "retry"),
        ("name", "misconfigured"),
        ("tls", "misconfigured"),
        ("refused address", "refused"),
        ("setting", "misconfigured"),
    ],
)
def test_a_failure_passes_or_wants_somebody(failure: Failure, expected: Meaning) -> None:
    assert meaning(CollectorAnswer(failure=failure), speaks_otlp=True) == expected


@pytest.mark.parametrize(("attempt", "seconds"), [(0, 0.5), (1, 1.0), (3, 4.0), (5, 16.0), (6, 30.0), (2000, 30.0)])
def test_the_backoff_doubles_up_to_half_a_minute(attempt: int, seconds: float) -> None:
    assert backoff_seconds(attempt, jitter=1.0) == seconds


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_jitter_is_full(attempt: int, jitter: float) -> None:
    assert backoff_seconds(attempt, jitter=0.0) == 0.0
    assert 0.0 <= backoff_seconds(attempt, jitter=jitter) <= 30.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("86400", 300.0),
        ("Tue, 22 Sep 2026 12:00:30 GMT", 30.0),
        ("Tue, 22 Sep 2026 12:00:30", 30.0),
        ("Tue, 22 Sep 2026 14:00:30 +0200", 30.0),
        ("Tue, 22 Sep 2026 11:00:00 GMT", 0.0),
        ("Tue, 22 Sep 2099 11:00:00 GMT", 300.0),
    ],
    ids=[
        "seconds",
        "at once",
        "a fraction",
        "the past",
        "a day",
        "a date",
        "a date without a zone",
        "a date in another zone",
        "a date in the past",
        "a date far away",
    ],
)
def test_retry_after_is_obeyed_up_to_five_minutes(header: str, seconds: float) -> None:
    assert retry_after_seconds(header, at=NOON, jitter=0.0) == seconds


@pytest.mark.parametrize("header", ["", "soon", "nan", "inf", "Tue, 99 Sep 2026 12:00:30 GMT", "1e400"])
def test_a_retry_after_that_says_nothing_is_ignored(header: str) -> None:
    assert retry_after_seconds(header, at=NOON, jitter=0.0) is None


def test_the_jitter_adds_up_to_a_tenth_so_that_not_all_come_back_at_once() -> None:
    assert retry_after_seconds("100", at=NOON, jitter=0.5) == pytest.approx(105.0)


def test_an_answer_is_put_in_words_without_the_collector_s() -> None:
    assert [
        str(CollectorAnswer(503, body=b"secret")),
        str(CollectorAnswer(failure="cut")),
        str(CollectorAnswer(failure="tls", detail="SSLError")),
    ] == ["status 503", "cut", "tls: SSLError"]
