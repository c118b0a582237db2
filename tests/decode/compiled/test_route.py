import json

import pytest

from dashlight.decode.compiled.route import EXEMPLARS, Lane
from dashlight.decode.protocols.detect import place_of
from dashlight.decode.rows.selection import EVERYTHING

ANSWER = {"y": 1}


def lane(path: str = "/predict") -> Lane:
    return Lane(path, place_of(path), EVERYTHING)


def bodies(*requests: object, answer: object = ANSWER) -> list[tuple[bytes, bytes]]:
    return [(json.dumps(request).encode(), json.dumps(answer).encode()) for request in requests]


def reads(lane: Lane, request: object) -> bool:
    if lane.plan is None:
        return False
    try:
        lane.plan.read_request(json.dumps(request).encode())
    except ValueError:
        return False
    return True


def test_a_plan_is_made_from_the_first_bodies() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1, "b": None}, {"a": None, "b": "x"}, {"a": 2, "b": "y", "c": 3}), hits=0, misses=3)

    assert reads(subject, {"a": 1.5, "b": "z", "c": 4})
    assert reads(subject, {"a": 1.5, "b": None})
    assert not reads(subject, {"a": "x", "b": "y"})


def test_nothing_is_learnt_from_nothing() -> None:
    subject = lane()
    subject.learn([], hits=0, misses=50)
    subject.learn(bodies({"a": 1}), hits=0, misses=1)

    assert reads(subject, {"a": 2})


@pytest.mark.parametrize(
    "first",
    [
        bodies({"a": 1}, {"b": {"c": 1}}),
        bodies({"a": [{"b": 1}, {"b": 2}]}),
        bodies({"a": 1}, answer={"y": []}),
        [(b"\x1f\x8b", b'{"y": 1}')],
        [(b'{"a": 1}', b"oops")],
    ],
    ids=["no shape in common", "no shape", "no shape of the answer", "no JSON", "no JSON in the answer"],
)
def test_after_a_failure_the_next_attempt_waits_twice_as_long(first: list[tuple[bytes, bytes]]) -> None:
    subject = lane()
    subject.learn(first, hits=0, misses=2)
    subject.learn(bodies({"a": 1}), hits=0, misses=255)
    assert subject.plan is None

    subject.learn(first, hits=0, misses=1)
    subject.learn(bodies({"a": 1}), hits=0, misses=511)
    assert subject.plan is None

    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    assert subject.plan is not None


def test_only_the_first_exemplars_matter() -> None:
    subject = lane()
    subject.learn(bodies(*[{"a": 1}] * EXEMPLARS, {"b": {"c": 1}}), hits=0, misses=EXEMPLARS + 1)

    assert reads(subject, {"a": 2})


def test_a_plan_is_widened_when_many_bodies_miss_it() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    subject.learn(bodies({"a": "x"}), hits=100, misses=15)
    assert not reads(subject, {"a": "x"})

    subject.learn(bodies({"a": "x", "b": 2}), hits=100, misses=1)

    assert reads(subject, {"a": "x"})
    assert reads(subject, {"a": 1, "b": 3})


def test_a_few_misses_among_many_hits_change_nothing() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    before = subject.plan

    for _ in range(10):
        subject.learn(bodies({"a": "x"}), hits=1000, misses=20)
    for _ in range(100):
        subject.learn(bodies({"a": "x"}), hits=256, misses=1)

    assert subject.plan is before


def test_a_plan_that_most_bodies_miss_is_given_up() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    subject.learn(bodies({"b": {"c": 1}}), hits=10, misses=20)
    assert subject.plan is None

    subject.learn(bodies({"b": {"c": 1}}), hits=0, misses=256)
    assert reads(subject, {"b": {"c": 2}})


def test_a_plan_that_cannot_be_widened_is_kept_while_it_fits_most() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    subject.learn(bodies({"b": {"c": 1}}), hits=100, misses=20)

    assert reads(subject, {"a": 2})


def test_a_plan_that_misses_for_another_reason_than_its_shape_is_kept_while_it_fits_most() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    subject.learn(bodies({"a": 2}), hits=100, misses=20)
    assert subject.plan is not None

    subject.learn(bodies({"a": 2}), hits=10, misses=20)
    assert subject.plan is None


def test_a_wider_shape_that_has_no_plan_leaves_the_one_there_is() -> None:
    subject = lane()
    subject.learn(bodies({"v": [1, 2], "k": 1}), hits=0, misses=1)
    subject.learn(bodies({"v": [1, 2]}), hits=100, misses=20)

    assert reads(subject, {"v": [3, 4], "k": 2})


def test_a_plan_is_widened_only_so_often() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)

    for at in range(20):
        subject.learn(bodies({"a": 1, f"k{at}": 1}), hits=30, misses=20)

    assert reads(subject, {"a": 1, "k0": 1, "k7": 1})
    assert not reads(subject, {"a": 1, "k8": 1})


def test_misses_of_long_ago_are_forgotten() -> None:
    subject = lane()
    subject.learn(bodies({"a": 1}), hits=0, misses=1)
    before = subject.plan
    subject.learn(bodies({"a": "x"}), hits=0, misses=15)
    subject.learn([], hits=5000, misses=0)

    subject.learn(bodies({"a": "x"}), hits=0, misses=15)

    assert subject.plan is before
