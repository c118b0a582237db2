"""Numbers that operators see, and the ways to them: Prometheus, the app's MeterProvider, a push to a collector.

`totals.py` keeps what is counted since the start, `gauges.py` how things stand now; both come out as `figures.py`.
Imports: `window` and the ground floor.
To add: a metric is a line in `instruments.py`, its figure in one of these two, and a row in docs/metrics.md.
"""
