"""Figures that operators see, and the ways to them: Prometheus, the app's MeterProvider, a push to a collector.

Imports: `window` and the ground floor.
To add: a metric is a line in `instruments.py`, a figure in `totals.py` or `gauges.py`, and a row in docs/metrics.md.
"""
