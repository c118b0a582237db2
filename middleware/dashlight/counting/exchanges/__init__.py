"""What is counted of the exchanges of one endpoint beside their outcomes: kinds of failure, traces, slowness, generations.

Imports what `counting` does; none of its other files.
To add: what is counted of exchanges is one file here, used by `endpoint.py`.
"""
