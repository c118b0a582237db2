"""Where it hurts: sampled rows of the last days, and what an alert asks of them once an incident.

Imports: `judge.slices`, `counting` and below, and of `watching` `rows`, `model` and what they import.
To add: what hurts in another kind of alert is a question in `questions.py`.
"""
