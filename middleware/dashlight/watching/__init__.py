"""What judges the sum of all processes: machine > endpoint > model > rows > joint, as `counting` counts them.

Holds windows and judges, and hands on the alerts that changed. State goes in and out as plain data.
Imports: `counting` and below.
To add: a judge of a model's rows joins in `rows.py`, one of an endpoint in `endpoint.py`.
"""
