"""The development collector behind `dashlight collect`: receives OTLP and NDJSON, and tells it in plain words.

Imports: `deliver` and below.
To add: a path that is served goes into `server.py`, what is told of a signal into `received.py`.
"""
