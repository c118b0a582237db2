"""The one line at the start: what is watched, where everything goes, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.runtime.assembly.start_line import Start, start_line
from dashlight.settings import Settings
from dashlight.window.reference.build import build_reference_from_columns

BARE = Start(
    settings=Settings.from_env({}),
    served="app:app in /srv",
    reference=None,
    learned_count=0,
    events_to=None,
    spans_to=None,
    metrics_to=None,
    routes=(),
    heartbeats=(),
    directory=Path("/tmp/d"),
    is_lasting=False,
)


def test_of_a_bare_start_it_is_said_what_is_missing() -> None:
    assert start_line(BARE) == (
        "watching app:app in /srv: each model's first 5,000 rows are learned; alerts: this log; events: nowhere; "
        "spans: none of its own; metrics: none; state: none, and so nothing waits on disk; missing: a reference (drift is judged once the first rows "
        "are learned), anybody but this log to tell of alerts (DASHLIGHT_WEBHOOK or another way out), what outlives the server "
        "(DASHLIGHT_STATE_DIR is not set)"
    )


def test_of_a_whole_start_it_is_said_where_everything_goes_and_no_secret() -> None:
    rng = np.random.default_rng(1)
    reference = build_reference_from_columns({"age": rng.normal(0, 1, 1200)}, {}, rng=rng, created_at=0.0)
    environ = {
        "DASHLIGHT_MODEL": "risk",
        "DASHLIGHT_REFERENCE": "/models/risk.json",
        "DASHLIGHT_STATE_DIR": "/var/lib/dashlight",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_PAYLOADS": "features",
        "DASHLIGHT_SAMPLE_RATE": "2.5%",
        "DASHLIGHT_SEGMENTS": "carrier,origin",
    }

    told = start_line(
        replace(
            BARE,
            settings=Settings.from_env(environ),
            reference=reference,
            events_to=Endpoint("http://collector/v1/logs?key=hunter2"),
            spans_to=Endpoint("http://collector/v1/traces"),
            metrics_to=Endpoint("http://collector/v1/metrics"),
            is_lasting=True,
            heartbeats=("https://hc/***",),
            routes=("Alertmanager at http://alerts",),
        )
    )

    assert told == (
        "watching app:app in /srv (model risk): compared with /models/risk.json (1 columns, 1,200 rows); segments: by carrier, origin; alerts: this "
        "log, http://collector/v1/logs?***, Alertmanager at http://alerts; heartbeat: https://hc/***; events: 2.5 % of requests and what went wrong, "
        "with values, to http://collector/v1/logs?***; spans: http://collector/v1/traces; metrics: /dashlight/metrics and "
        "http://collector/v1/metrics; state: /var/lib/dashlight"
    )


def test_what_was_learned_before_and_who_is_alone_are_said() -> None:
    told = start_line(
        replace(BARE, learned_count=2, directory=None, settings=Settings.from_env({"DASHLIGHT_SPANS": "off"}))
    )

    assert "compared with 2 learned before, else each model's first 5,000 rows are learned" in told
    assert "spans: off" in told
    assert "a directory to share (this process is alone)" in told


def test_it_is_said_where_predictions_wait_for_labels_and_how_long() -> None:
    on = {"DASHLIGHT_LABELS": "true", "DASHLIGHT_STATE_DIR": "/var/lib/dashlight"}

    said = {
        "nowhere": start_line(BARE),
        "while it runs": start_line(replace(BARE, settings=Settings.from_env({"DASHLIGHT_LABELS": "true"}))),
        "in a file": start_line(replace(BARE, settings=Settings.from_env(on), is_lasting=True)),
        "in a Redis": start_line(
            replace(BARE, settings=Settings.from_env({**on, "DASHLIGHT_STORE": "redis://u:hunter2@cache:6379/1?x=y"}))
        ),
    }

    assert "labels" not in said["nowhere"]
    assert "labels: awaited for as long as this server runs (DASHLIGHT_STATE_DIR is where" in said["while it runs"]
    assert "labels: awaited in /var/lib/dashlight;" in said["in a file"]
    assert "labels: awaited in redis://cache:6379/1;" in said["in a Redis"]
    assert "hunter2" not in said["in a Redis"]
