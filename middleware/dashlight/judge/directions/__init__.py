"""Whole rows that moved together, a little in each column: a direction is learned, and bet on afterwards. Pure.

Imports: `judge.evidence` and below, `window`.
To add: how a direction is chosen goes into `learning.py`, what is bet along it into `bets.py`.
"""
