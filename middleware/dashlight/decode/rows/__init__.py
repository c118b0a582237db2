"""Tables of columns, and what any decoder needs to make them: names, roles, selection, redaction, failures. Pure.

Imports: the ground floor, `window` and `cells`.
To add: a rule on which values become columns goes into `columns.py`, one on what is a failure into `failures.py`, one on which
row of an answer belongs to which of the request into `matching`.
"""
