"""What a machine has counted, as figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.figures import Figure, Figures
from dashlight.metrics.generations import GenerationKey, generation_times
from dashlight.metrics.losses import INBOX_FULL, Fate, SignalFate
from dashlight.metrics.totals import MOST_COUNTED_SERIES, MOST_ENDPOINTS, MOST_SERIES, Totals, TotalsState
from dashlight.records import Alert, Score, WatchState
from dashlight.store.layout import Layout
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts
from dashlight.workers.layouts import FIGURES

OUTBOX_FULL = SignalFate("events", "dropped", "outbox_full")
SECONDS = generation_times(duration_seconds=2.0, first_token_seconds=0.5, seconds_per_token=None)
LAYOUT: Layout[TotalsState] = Layout("totals", 1, TotalsState)
GAUGES = {"workers": 2.0, "in_flight": 3.0, "analysed_rate": 1.0}

FIRED = Alert("k", "drift", "fraud", "3", "/p", "age", "feature", "firing", "moved", 2.0, 1.0, 100, 0.5)


@dataclass(frozen=True)
class Shown:
    """Scores of a moment."""

    model: str = "fraud"
    version: str = "3"
    scores: Sequence[Score] = ()
    state: WatchState | None = "watching"
    is_unasked: bool = False


def pane(count: int = 1, *, kinds: Sequence[str] = (), seconds: float = 0.03) -> OutcomeCounts:
    counter = OutcomeCounter()
    each = np.full(count, seconds)
    counter.add(
        ["ok"] * count,
        duration_seconds=each,
        first_byte_seconds=each,
        request_bytes=each * 1e4,
        response_bytes=each * 1e4,
    )
    counter.add_failures(kinds)
    counter.add_rows(2 * count)
    counter.add_analysed(count, [])
    return counter.close(10.0)


def figures_of(totals: Totals, snapshots: Sequence[tuple[str, Shown]] = (), alerts: Sequence[Alert] = ()) -> Figures:
    return totals.figures(at=20.0, snapshots=snapshots, alerts=alerts, gauges=GAUGES)


def numbers(figures: Figures, name: str) -> dict[tuple[str, ...], float]:
    return {tuple(each.attributes.values()): each.value for each in figures.figures if each.name == name}


def series_count(figures: Figures) -> int:
    counted = sum(2 if each.kind == "counter" else 1 for each in figures.figures)
    return counted + sum(len(each.counts) + 2 for each in figures.histograms)


def counters(figures: Figures) -> Iterator[tuple[tuple[str, ...], float]]:
    for each in figures.figures:
        if each.kind == "counter":
            yield (each.name, *each.attributes.values()), each.value
    for histogram in figures.histograms:
        for bound, count in zip((*histogram.bounds, "inf"), histogram.counts, strict=True):
            yield (histogram.name, str(bound), *histogram.attributes.values()), count
        yield (histogram.name, "sum", *histogram.attributes.values()), histogram.sum


def test_panes_of_an_endpoint_add_up() -> None:
    totals = Totals(started_at=1.0)

    totals.add_outcomes("/p", pane(3))
    totals.add_outcomes("/p", pane(4))
    totals.add_outcomes("/q", pane(5))

    figures = figures_of(totals)
    assert numbers(figures, "dashlight.requests")["/p", "ok"] == 7
    assert numbers(figures, "dashlight.rows") == {("/p",): 14, ("/q",): 10}
    assert (figures.at, figures.started_at) == (20.0, 1.0)
    assert numbers(figures, "dashlight.figures.made_at") == {(): 20.0}
    assert numbers(figures, "dashlight.metrics.skipped") == {(): 0}
    assert numbers(figures, "dashlight.workers") == {(): 2}


def test_all_figures_can_be_handed_on_as_bytes() -> None:
    totals = Totals(started_at=1.0)
    totals.add_outcomes("/p", pane(3, kinds=["http_503"]))
    figures = figures_of(totals, [("/p", Shown(scores=[Score("age", "feature", "psi", 0.5, 0.4, 0.6, 700)]))])

    assert FIGURES.thaw(b"".join(FIGURES.freeze(figures))) == figures


def written(totals: Totals) -> bytes:
    return b"".join(LAYOUT.freeze(totals.state))


@pytest.mark.parametrize("cut_at", [0, 1, 17, 39])
def test_totals_that_are_restored_go_on_as_if_nothing_had_happened(cut_at: int) -> None:
    whole = restored = Totals(started_at=1.0)
    for number in range(50):
        if number == cut_at:
            restored = Totals(started_at=5.0)
            restored.restore(LAYOUT.thaw(written(whole)))
        for totals in {whole, restored}:
            totals.add_outcomes(f"/{number % 40}", pane(number, kinds=[f"http_{500 + number}"]))
            totals.add_counts({OUTBOX_FULL: 2, SignalFate("spans", "dropped", f"reason {number * 2}"): 1})
            totals.add_alerts([FIRED])
            totals.add_generations({("chat", "openai_chat", f"m{number}", "", f"{number % 20}"): SECONDS})
        assert figures_of(restored) == figures_of(whole)

    assert written(restored) == written(whole)
    assert restored.started_at == 1.0
    assert numbers(figures_of(restored), "dashlight.dropped")["events", "outbox_full"] == 100
    assert numbers(figures_of(restored), "dashlight.alert.fired")["drift",] == 50
    assert sum(int(times.durations.sum()) for times in restored.state.generations.values()) == 50


CHAT: GenerationKey = ("chat", "openai_chat", "m", "m", "")


def totals_seen() -> TotalsState:
    totals = Totals(started_at=1.0)
    totals.add_outcomes("/p", pane(3, kinds=["http_503"]))
    totals.add_counts({OUTBOX_FULL: 2})
    totals.add_generations({CHAT: SECONDS})
    figures_of(totals)
    return totals.state


STATE = totals_seen()
ENDPOINT = STATE.endpoints["/p"]


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, started_at=float("nan")),
        replace(STATE, started_at=float("inf")),
        replace(STATE, endpoints={f"/{number}": ENDPOINT for number in range(MOST_ENDPOINTS + 1)}),
        replace(STATE, counts={INBOX_FULL: -1}),
        replace(STATE, counts={INBOX_FULL: 2**62}),
        replace(STATE, counts={SignalFate("rows", "dropped", f"reason {number}"): 1 for number in range(66)}),
        replace(STATE, fired={"drift": -1}),
        replace(STATE, generations={CHAT: replace(SECONDS, first_tokens=SECONDS.first_tokens - 1)}),
        replace(STATE, generations={("chat", "openai_chat", f"{number}", "", ""): SECONDS for number in range(50)}),
        replace(STATE, admitted_count=len(STATE.admitted) - 1),
        replace(STATE, admitted_count=MOST_COUNTED_SERIES + 1),
        replace(STATE, admitted=tuple((f"{number}",) for number in range(MOST_COUNTED_SERIES + 1))),
        *(
            replace(STATE, endpoints={"/p": endpoint})
            for endpoint in (
                replace(ENDPOINT, outcomes={"ok": -1}),
                replace(ENDPOINT, failures={f"kind {number}": 1 for number in range(34)}),
                replace(ENDPOINT, undecodable={f"reason {number}": 1 for number in range(10)}),
                replace(ENDPOINT, answers={"POST ok": 1}),
                replace(ENDPOINT, answers={"POST 200 ok": -1}),
                replace(ENDPOINT, answers={f"POST {number} ok": 1 for number in range(34)}),
                replace(ENDPOINT, rows=-1),
                replace(ENDPOINT, analysed=2**62),
                replace(ENDPOINT, durations=ENDPOINT.durations[:-1]),
                replace(ENDPOINT, first_bytes=ENDPOINT.first_bytes - 1),
                replace(ENDPOINT, request_sizes=ENDPOINT.request_sizes.astype(np.float64)),
                replace(ENDPOINT, response_sizes=ENDPOINT.response_sizes + 2**62),
                replace(ENDPOINT, durations=ENDPOINT.durations + 2**58),
                replace(ENDPOINT, request_sizes=ENDPOINT.request_sizes + 2**50),
            )
        ),
    ],
)
def test_totals_that_cannot_be_are_refused(state: TotalsState) -> None:
    Totals(started_at=1.0).restore(STATE)

    with pytest.raises(ValueError, match="expected"):
        Totals(started_at=1.0).restore(state)


@pytest.mark.parametrize(
    ("key", "name", "attributes"),
    [
        (INBOX_FULL, "dashlight.dropped", ("exchanges", "inbox_full")),
        (SignalFate("spans", "rejected"), "dashlight.dropped", ("spans", "rejected")),
        (SignalFate("metrics", "replaced"), "dashlight.dropped", ("metrics", "replaced")),
        (SignalFate("events", "delivered"), "dashlight.delivered", ("events",)),
        (SignalFate("alerts", "delivered", part="a"), "dashlight.delivered", ("alerts", "a")),
        (SignalFate("alerts", "rejected", part="a"), "dashlight.dropped", ("alerts", "a", "rejected")),
        (SignalFate("exchanges", "mistake", "ValueError"), "dashlight.mistakes", ("ValueError",)),
    ],
    ids=str,
)
def test_what_became_of_a_signal_is_a_figure_of_its_own(
    key: SignalFate, name: str, attributes: tuple[str, ...]
) -> None:
    totals = Totals(started_at=1.0)

    totals.add_counts({key: 3})

    assert numbers(figures_of(totals), name) == {attributes: 3}


def test_files_that_fail_alike_are_one_count() -> None:
    totals = Totals(started_at=1.0)

    totals.add_counts({SignalFate("files", "dropped", "corrupt", part): 3 for part in ("mailbox", "checkpoint")})

    assert numbers(figures_of(totals), "dashlight.dropped") == {("files", "corrupt"): 6}


def test_counts_that_fell_or_stayed_are_passed_over() -> None:
    totals = Totals(started_at=1.0)

    totals.add_counts({OUTBOX_FULL: 0, INBOX_FULL: -4})

    assert numbers(figures_of(totals), "dashlight.dropped") == {}


def test_names_of_other_counts_are_bounded() -> None:
    totals = Totals(started_at=1.0)

    totals.add_counts({SignalFate("exchanges", "mistake", f"Error{number}"): 1 for number in range(100)})

    figures = figures_of(totals)
    assert len(numbers(figures, "dashlight.mistakes")) == 64
    assert numbers(figures, "dashlight.dropped") == {("other", "other"): 36}


def test_alerts_are_counted_when_they_begin_to_fire() -> None:
    totals = Totals(started_at=1.0)

    totals.add_alerts([FIRED, replace(FIRED, state="pending"), replace(FIRED, state="resolved")])
    totals.add_alerts([replace(FIRED, source="traffic")])

    figures = figures_of(totals, alerts=[FIRED])
    assert numbers(figures, "dashlight.alert.fired") == {
        ("drift",): 1, ("performance",): 0, ("traffic",): 1, ("break",): 0, ("threshold",): 0,
    }  # fmt: skip
    assert numbers(figures, "dashlight.alert.in_force")["drift", "firing"] == 1


def test_endpoints_beyond_the_bound_are_counted_together() -> None:
    totals = Totals(started_at=1.0)

    for number in range(MOST_ENDPOINTS + 10):
        totals.add_outcomes(f"/p{number}", pane(2))

    requests = numbers(figures_of(totals), "dashlight.rows")
    assert len(requests) == MOST_ENDPOINTS
    assert requests["other",] == 44


def test_what_stands_for_the_others_takes_no_name_from_an_endpoint_also_where_it_came_first() -> None:
    totals = Totals(started_at=1.0)

    for name in ("other", *(f"/p{number}" for number in range(MOST_ENDPOINTS - 1)), "/late"):
        totals.add_outcomes(name, pane(2))

    requests = numbers(figures_of(totals), "dashlight.rows")
    assert len(requests) == MOST_ENDPOINTS
    assert requests["other",] == 2 * 4


def test_there_are_never_more_series_than_the_bound() -> None:
    totals = Totals(started_at=1.0)
    for number in range(40):
        totals.add_outcomes(f"/p{number}", pane(2, kinds=[f"http_{500 + kind}" for kind in range(32)]))
    scores = [Score(f"c{place}", "feature", "psi", 0.5, 0.4, 0.6, 700) for place in range(256)]
    snapshots = [(f"/p{number}", Shown(scores=scores)) for number in range(32)]

    figures = figures_of(totals, snapshots)

    assert series_count(figures) <= MOST_SERIES == 1800
    assert len(numbers(figures, "dashlight.requests")) == 5 * 33
    [skipped] = numbers(figures, "dashlight.metrics.skipped").values()
    wanted = 33 * (10 + 17 + 8 + 17 + 2 * 32) + 5 * 2 + 10 + 3 + 2 + 32 * (3 + 1 + 256)
    assert series_count(figures) + skipped == wanted


def test_a_counter_that_was_shown_is_always_shown() -> None:
    totals = Totals(started_at=1.0)
    totals.add_outcomes("/p0", pane(2, kinds=["http_503"]))
    before = dict(counters(figures_of(totals)))

    for number in range(40):
        totals.add_outcomes(f"/p{number}", pane(2, kinds=[f"http_{500 + kind}" for kind in range(32)]))

    assert before.keys() <= dict(counters(figures_of(totals))).keys()


def test_a_hundred_columns_with_all_their_scores_find_room() -> None:
    statistics = (
        "psi",
        "js",
        "ks",
        "w1",
        "missing_rate",
        "type_error_rate",
        "out_of_range_rate",
        "minimum_detectable_shift",
        "minimum_detectable_missing_rate",
    )
    scores = [Score(f"c{place}", "feature", name, 0.5, 0.4, 0.6, 700) for place in range(100) for name in statistics]
    totals = Totals(started_at=1.0)
    totals.add_outcomes("/p", pane(2, kinds=["http_503"]))

    figures = figures_of(totals, [("/p", Shown(scores=scores))])

    assert numbers(figures, "dashlight.metrics.skipped") == {(): 0}
    assert sum(each.name.startswith("dashlight.column.") for each in figures.figures) == 900


def test_a_score_that_comes_twice_is_shown_once() -> None:
    twice = [Score("age", "feature", "psi", value, 0.4, 0.6, 700) for value in (0.5, 0.7)]

    figures = figures_of(Totals(started_at=1.0), [("/p", Shown(scores=twice))])

    assert list(numbers(figures, "dashlight.column.drift").values()) == [0.5]
    assert numbers(figures, "dashlight.metrics.skipped") == {(): 1}


def test_routes_that_begin_alike_are_told_apart() -> None:
    totals = Totals(started_at=1.0)

    for ending in "ab":
        totals.add_outcomes(f"/{'very-long/' * 30}{ending}", pane(1))

    assert len(numbers(figures_of(totals), "dashlight.rows")) == 2


steps: st.SearchStrategy[Callable[[Totals], None]] = st.one_of(
    st.builds(
        lambda route, count, seconds: lambda totals: totals.add_outcomes(route, pane(count, seconds=seconds)),
        st.sampled_from(["/p", "/q", "other"]),
        st.integers(0, 5),
        st.floats(1e-6, 100),
    ),
    st.builds(
        lambda counts: lambda totals: totals.add_counts(counts),
        st.dictionaries(
            st.builds(
                SignalFate, st.sampled_from(["events", "rows"]), st.sampled_from(get_args(Fate)), st.text(max_size=5)
            ),
            st.integers(-5, 5),
            max_size=3,
        ),
    ),
)


@given(st.lists(steps, max_size=8))
def test_no_counter_ever_falls(taken: list[Callable[[Totals], None]]) -> None:
    totals = Totals(started_at=1.0)
    before: Mapping[tuple[str, ...], float] = {}

    for step in taken:
        step(totals)
        now = dict(counters(figures_of(totals)))
        assert all(now[key] >= value for key, value in before.items())
        before = now


def test_no_attribute_holds_what_a_terminal_or_a_line_would_break_on() -> None:
    totals = Totals(started_at=1.0)
    totals.add_outcomes('/p\n"evil"\x1b[31m', pane(1, kinds=["exception:Bad\nName"]))
    shown = Shown("m\r\n", "\ud800", [Score("a\x00b", "feature", "psi", 0.5, 0.4, 0.6, 700)])

    figures = figures_of(totals, [("/p", shown)])

    texts = [text for each in figures.figures for text in each.attributes.values()]
    assert all(text.isprintable() for text in texts)
    assert isinstance(FIGURES.thaw(b"".join(FIGURES.freeze(figures))).figures[0], Figure)


def test_what_happened_can_be_asked_for() -> None:
    totals = Totals(started_at=1.0)
    assert totals.count(INBOX_FULL) == 0

    for _ in range(2):
        totals.add_counts({INBOX_FULL: 3, OUTBOX_FULL: 5})

    assert (totals.count(INBOX_FULL), totals.count(OUTBOX_FULL)) == (6, 10)


def test_generations_of_all_endpoints_add_up_and_none_is_taken_for_another() -> None:
    totals = Totals(started_at=0.0)
    keys: list[GenerationKey] = [("chat", "openai_chat", "m", "", ""), ("chat", "openai_chat", "", "m", "")]

    for _ in range(3):
        totals.add_generations(dict.fromkeys(keys, SECONDS))

    found = [each for each in figures_of(totals).histograms if each.name == "gen_ai.server.request.duration"]
    assert [sum(each.counts) for each in found] == [3, 3]
    assert {tuple(sorted(each.attributes)) for each in found} == {
        ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"),
        ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.model"),
    }


def test_what_was_lost_is_told_by_signal_and_reason() -> None:
    totals = Totals(started_at=0.0)
    totals.add_counts(
        {
            INBOX_FULL: 3,
            SignalFate("alerts", "delivered", "", "webhook"): 5,
            SignalFate("alerts", "rejected", "", "webhook"): 2,
            SignalFate("exchanges", "mistake", "KeyError"): 1,
        }
    )

    assert totals.losses() == {"exchanges inbox_full": 3, "alerts rejected": 2}
