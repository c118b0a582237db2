"""From counts to scores, evidence, and the states of alerts. Pure: the moment `at` is an argument.

Files here < evidence < columns, pairs, directions, traffic, performance < breaks, slices; rooms of one floor are strangers.
Imports: `window` and the ground floor.
To add: a kind of alert is a room with a `judge.py`; its part of the budget stands in `alert_budget.py`.
"""
