"""The guilty slice is of one private value: it is told by its number, in everything that leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b, md5, sha1, sha256

import msgspec
import numpy as np
import pytest

from dashlight.counting.policy import Policy
from dashlight.deliver.alerting.alertmanager import alert_annotations, alert_labels
from dashlight.deliver.alerting.document import AlertContext, document
from dashlight.deliver.alerting.pagerduty import pagerduty_event
from dashlight.deliver.alerting.slack import message
from dashlight.deliver.alerting.template import WebhookTemplate
from dashlight.deliver.encoding.events import alert_event
from dashlight.deliver.encoding.plain import Budget, plain
from dashlight.judge.alerts import Alerts
from dashlight.judge.notices import notices
from dashlight.judge.past_alerts import remembered
from dashlight.privacy.hashing import HashKey
from dashlight.records import Alert, Notice
from dashlight.watching.rows import Comparison
from dashlight.watching.slices.questions import find_slice
from dashlight.window.columns import Reference
from dashlight.window.disclosure import protected
from dashlight.window.parts.sampled_rows import SampledRows
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column

CITIES = ["Quedlinburg", "Wolfenbuettel", "Pfaffenhofen", "Wernigerode"]
GUILTY, ROWS = 1, 4000
BEGAN_AT = 1_790_000_000.0


def private_reference(key: HashKey | None) -> Reference:
    rng = np.random.default_rng(1)
    columns: dict[str, Column] = {
        "city": [CITIES[place] for place in rng.integers(0, 4, 3000)],
        "age": rng.normal(40, 10, 3000),
    }
    made = build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)
    return made if key is None else protected(made, key)


def notice_of_failures(reference: Reference) -> Notice:
    """Of one city most fails, as the judge of a machine tells it."""
    rng, comparison = np.random.default_rng(2), Comparison(reference, Policy())
    places = {column.name: place for place, column in enumerate(reference.columns)}
    cities = rng.integers(0, 4, ROWS)
    codes = np.zeros((len(reference.columns), ROWS), np.uint8)
    codes[places["age"]] = rng.integers(4, 36, ROWS)
    bins = {name: place for place, name in enumerate(reference.columns[places["city"]].categories)}
    key = reference.columns[places["city"]].hash_key
    codes[places["city"]] = [4 + bins[CITIES[each] if key is None else key.hash(CITIES[each])] for each in cities]
    outcomes = ((cities == GUILTY) & (rng.random(ROWS) < 0.7)).astype(np.uint8)
    traces = np.frombuffer(b"".join(number.to_bytes(16, "big") for number in range(1, ROWS + 1)), "V16")
    at = np.sort(BEGAN_AT + 10 * rng.random(ROWS))
    sampled = SampledRows(reference.version, codes, outcomes, at, rng.random(ROWS), 1.0, traces)
    assert comparison.history.fits(sampled)
    comparison.history.take(sampled, BEGAN_AT + 10)
    alert = Alert(
        key="traffic/%2Fpredict/error_rate",
        source="traffic",
        model="",
        version="",
        endpoint="/predict",
        column=None,
        role=None,
        state="firing",
        summary="error rate rose from 1 % to 18 %",
        at=BEGAN_AT + 10,
        since_at=BEGAN_AT,
        rows=ROWS,
        score=1.0,
    )
    found = finished(find_slice(alert, "failed", comparison, ()))
    assert found is not None
    assert found.state == "found"
    assert [each.column for each in found.conditions] == ["city"]
    alerts = Alerts()
    changed = alerts.observe([alert])
    located = alerts.locate(alert.key, found)
    assert located is not None
    [notice] = notices(changed, incidents=alerts.incidents, in_force=alerts.in_force, told={}, at=BEGAN_AT + 10)
    return notice


def outputs(notice: Notice) -> Sequence[str]:
    context = AlertContext(service="shop", instance="1", trace_url="https://traces.example/{trace_id}")
    template = WebhookTemplate(b'{"a": "{{slice}}", "b": "{{alerts}}", "c": "{{summary}}"}', path="t")
    return [
        repr(notice),
        json.dumps(document(notice, context)),
        msgspec.json.encode(plain(alert_event(notice).attributes, Budget())).decode(),
        repr(alert_event(notice)),
        repr(alert_annotations(notice, context)) + repr(alert_labels(notice, context)),
        repr(pagerduty_event(notice, context, routing_key="k")),
        repr(message(notice, context)),
        repr(template.filled(notice, context)),
        repr(remembered((), [notice])),
    ]


@pytest.mark.parametrize("is_hashed", ["as it is", "hashed"])
def test_the_value_of_a_private_slice_leaves_nowhere(is_hashed: str) -> None:
    notice = notice_of_failures(private_reference(None if is_hashed == "as it is" else HashKey(b"k" * 32)))

    told = outputs(notice)

    assert all("city" in each for each in told), "the slice is told"
    assert all("value #" in each for each in told)
    for each in told:
        for city in CITIES:
            assert city.lower() not in each.lower()
            for digest in (md5, sha1, sha256, blake2b):
                assert digest(city.encode()).hexdigest() not in each


def test_a_value_that_is_shown_is_told() -> None:
    reference = private_reference(None)
    shown = replace(reference, columns=tuple(replace(column, shown=True) for column in reference.columns))

    told = outputs(notice_of_failures(shown))

    assert all("Wolfenbuettel" in each for each in told)
