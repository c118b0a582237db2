"""Rows of predictions as performance needs them, with the ids by which their labels find them.

Imports: labels, window, decode and below.
To add: another shape of answer is a rule in `meaning`; how it is turned into numbers stands in `measured`.
"""
