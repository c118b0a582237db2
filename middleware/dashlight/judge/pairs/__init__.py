"""Pairs of numeric columns that no longer move together as they did in the reference. Pure.

Imports: `judge.evidence` and below, `window`.
To add: what a pair's alert says goes into `words.py`, what it measures into `effects.py`.
"""
