"""Outcomes by version: attributed where that can be known, and bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace as replaced
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from dashlight.counting.endpoint import EndpointPane, merged_endpoints
from dashlight.counting.versions.counter import VersionCounter
from dashlight.counting.versions.counts import MOST_VERSIONS, OTHER, ModelKey, VersionCounts, merged_versions
from dashlight.privacy.names import REDACTED
from dashlight.records import Exchange, HandedOver
from dashlight.window.histogram import LATENCY
from dashlight.window.outcomes import OutcomeCounter

Exchanges = Callable[..., Exchange]
KSERVE = "/v2/models/m/versions/{}/infer"


def counted(
    counter: VersionCounter,
    exchanges: Sequence[Exchange],
    *,
    decoded: dict[int, ModelKey] | None = None,
    asked: dict[int, ModelKey] | None = None,
) -> dict[ModelKey, tuple[int, int, int]]:
    failed = {each.id for each in exchanges if each.outcome == "error"}
    durations = np.array([each.duration_seconds for each in exchanges])
    counter.add(exchanges, durations, decoded=decoded or {}, asked=asked or {}, failed=failed)
    return {key: (its.asked, its.failed, its.refused) for key, its in counter.close(10.0).items()}


def sent(
    exchange: Exchange, number: int, *, path: str = "/predict", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Exchange:
    return msgspec.structs.replace(exchange, id=number, path=path, response_headers=headers)


def counts_of(asked: int) -> VersionCounts:
    return VersionCounts(asked, 0, 0, np.zeros(LATENCY.bins, np.int64))


def test_what_failed_was_asked_of_the_version_that_its_path_names(exchange: Exchanges) -> None:
    exchanges = [sent(exchange(503, "error"), 1, path=KSERVE.format(2)), sent(exchange(), 2, path=KSERVE.format(1))]

    found = counted(VersionCounter(model="", version=""), exchanges, decoded={2: ("m", "1")})

    assert found == {("m", "2"): (1, 1, 0), ("m", "1"): (1, 0, 0)}


def test_what_failed_was_asked_of_the_version_that_the_process_serves(exchange: Exchanges) -> None:
    exchanges = [sent(exchange(503, "error"), 1), sent(exchange(422, "refused"), 2), sent(exchange(), 3)]

    found = counted(VersionCounter(model="m", version="7"), exchanges, decoded={3: ("m", "7")})

    assert found == {("m", "7"): (3, 1, 1)}


@pytest.mark.parametrize("header", [b"azureml-model-deployment", b"x-amzn-sagemaker-target-variant"])
def test_what_failed_was_asked_of_the_version_that_a_header_names(header: bytes, exchange: Exchanges) -> None:
    exchanges = [sent(exchange(503, "error"), 1, headers=((header, b"blue"),))]

    assert counted(VersionCounter(model="m", version=""), exchanges) == {("m", "blue"): (1, 1, 0)}


def test_what_an_adapter_hands_over_goes_before_the_path(exchange: Exchanges) -> None:
    one = sent(exchange(503, "error"), 1, path=KSERVE.format(2))
    handed = msgspec.structs.replace(one, handed=HandedOver(model="n", version="9"))

    assert counted(VersionCounter(model="", version=""), [handed]) == {("n", "9"): (1, 1, 0)}


def test_where_the_answer_alone_says_the_version_nobody_knows_what_a_failure_asked(exchange: Exchanges) -> None:
    counter = VersionCounter(model="m", version="1")
    exchanges = [sent(exchange(503, "error"), 1), sent(exchange(), 2)]

    found = counted(counter, exchanges, decoded={2: ("m", "2")})
    later = counted(counter, [sent(exchange(503, "error"), 3)])

    assert found == {("m", ""): (1, 1, 0), ("m", "2"): (1, 0, 0)}
    assert later == {("m", ""): (1, 1, 0)}


def test_what_failed_was_asked_of_the_model_that_its_request_names(exchange: Exchanges) -> None:
    exchanges = [sent(exchange(503, "error"), 1), sent(exchange(), 2), sent(exchange(503, "error"), 3)]

    found = counted(
        VersionCounter(model="m", version="7"), exchanges, decoded={2: ("n", "7")}, asked={1: ("n", "7"), 3: ("", "")}
    )

    assert found == {("n", "7"): (2, 1, 0), ("m", "7"): (1, 1, 0)}


def test_a_failure_inside_an_answer_is_of_the_version_that_the_answer_names(exchange: Exchanges) -> None:
    exchanges = [sent(exchange(200, "error"), 1), sent(exchange(), 2), sent(exchange(503, "error"), 3)]

    found = counted(
        VersionCounter(model="m", version="1"), exchanges, decoded={2: ("m", "2")}, asked={1: ("m", "3"), 3: ("m", "1")}
    )

    assert found == {("m", "3"): (1, 1, 0), ("m", "2"): (1, 0, 0), ("m", ""): (1, 1, 0)}


def test_a_header_goes_before_what_a_request_does_not_say(exchange: Exchanges) -> None:
    one = sent(exchange(503, "error"), 1, headers=((b"azureml-model-deployment", b"blue"),))

    found = counted(VersionCounter(model="m", version="7"), [one], asked={1: ("m", "7")})

    assert found == {("m", "blue"): (1, 1, 0)}


def test_a_thousand_versions_take_no_more_places_than_there_are(exchange: Exchanges) -> None:
    counter = VersionCounter(model="m", version="")
    exchanges = [sent(exchange(503, "error"), number, path=KSERVE.format(number)) for number in range(1000)]

    found = counted(counter, exchanges)

    assert len(found) == MOST_VERSIONS + 1
    assert found[OTHER] == (1000 - MOST_VERSIONS, 1000 - MOST_VERSIONS, 0)


def test_a_thousand_models_without_a_version_take_no_more_either(exchange: Exchanges) -> None:
    counter = VersionCounter(model="m", version="")
    exchanges = [sent(exchange(503, "error"), number, path=f"/v2/models/m{number}/infer") for number in range(1000)]

    found = counted(counter, [*exchanges, sent(exchange(503, "error"), 1001)])

    assert len(found) == MOST_VERSIONS + 2
    assert found[("m", "")] == (1, 1, 0)


@pytest.mark.parametrize("name", ["x" * 10_000, "jane.doe@example.com"], ids=["10 kB", "a person"])
def test_a_version_that_may_not_be_told_is_redacted(name: str, exchange: Exchanges) -> None:
    found = counted(VersionCounter(model="", version=""), [sent(exchange(503, "error"), 1, path=KSERVE.format(name))])

    assert list(found) == [("m", REDACTED)]


def test_versions_called_like_what_stands_for_none_are_no_versions(exchange: Exchanges) -> None:
    exchanges = [sent(exchange(), number, path=KSERVE.format(name)) for number, name in enumerate(["other", "unknown"])]

    assert counted(VersionCounter(model="", version=""), exchanges) == {OTHER: (2, 0, 0)}


def test_batches_and_single_exchanges_and_several_processes_count_the_same(exchange: Exchanges) -> None:
    rng = np.random.default_rng(1)
    exchanges = [
        msgspec.structs.replace(
            sent(
                exchange(*((503, "error") if rng.random() < 0.3 else (200, "ok"))),
                number,
                path=KSERVE.format(number % 3),
            ),
            duration_seconds=float(rng.random()),
        )
        for number in range(60)
    ]
    one = VersionCounter(model="", version="")
    several = [VersionCounter(model="", version="") for _ in range(3)]

    counted_at_once = one_pane(one, [exchanges])
    singly = one_pane(one, [[each] for each in exchanges])
    ends = [0, 11, 40, 60]
    merged = merged_versions(
        [
            one_pane(counter, [exchanges[begin:end]])
            for counter, (begin, end) in zip(several, pairwise(ends), strict=True)
        ]
    )

    assert told(counted_at_once) == told(singly) == told(merged)


def one_pane(counter: VersionCounter, batches: Sequence[Sequence[Exchange]]) -> dict[ModelKey, VersionCounts]:
    for batch in batches:
        failed = {each.id for each in batch if each.outcome == "error"}
        counter.add(batch, np.array([each.duration_seconds for each in batch]), decoded={}, failed=failed)
    return counter.close(10.0)


def told(versions: dict[ModelKey, VersionCounts]) -> dict[ModelKey, tuple[int, int, int, list[int]]]:
    return {key: (its.asked, its.failed, its.refused, its.durations.tolist()) for key, its in sorted(versions.items())}


def test_of_more_versions_than_there_are_places_those_asked_least_are_counted_together() -> None:
    panes = [{("m", f"{first + number}"): counts_of(first + number + 1) for number in range(10)} for first in (0, 10)]

    merged = merged_versions([*panes, {("", ""): counts_of(5), OTHER: counts_of(7)}])

    assert merged[OTHER].asked == 7 + 1 + 2 + 3 + 4
    assert merged[("", "")].asked == 5
    assert len(merged) == MOST_VERSIONS + 2


def test_an_endpoint_s_panes_add_up_with_their_versions() -> None:
    pane = EndpointPane(OutcomeCounter().close(10.0), {}, {}, versions={("m", "1"): counts_of(3)})

    merged = merged_endpoints([pane, replaced(pane, versions={("m", "1"): counts_of(4), ("m", "2"): counts_of(1)})])

    assert {key: its.asked for key, its in merged.versions.items()} == {("m", "1"): 7, ("m", "2"): 1}
