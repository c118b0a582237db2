"""Sends spans, events, alerts and metrics away from threads of its own, and counts what is lost.

`outbox.py` and `spool/` hold what waits, `destination.py` decides what becomes of it, `delivery.py` runs all.
Imports: `metrics` and the ground floor; never `judge`, `window`, `decode` or `capture`.
To add: a format is one file in `encoding/`, a destination is made in `runtime/assembly/`.
"""
