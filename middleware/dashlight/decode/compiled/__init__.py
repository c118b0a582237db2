"""A fast route for payloads of a shape that was seen before: the plan to extract it, compiled once. Pure.

Imports: `decode.protocols` and below. What does not fit a plan takes the plain route in `decode/exchange.py`.
To add: a shape that can be compiled goes into `shapes.py`; it must give the very table that the plain route gives.
"""
