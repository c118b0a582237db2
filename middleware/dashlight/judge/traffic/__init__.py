"""Failures, refusals, latency, silence and undecodable exchanges of one endpoint; fixed limits beside them. Pure.

Imports: `judge.evidence` and below, `window`.
To add: a quantity that limits may name goes into `rules.py` and `scores.py`.
"""
