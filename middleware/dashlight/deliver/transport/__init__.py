"""One request to a collector: where, by which connection, within which time, and what its answer means.

Imports: the ground floor.
To add: what a status means goes into `retry.py`, a variable that names an address into `endpoints.py`.
"""
