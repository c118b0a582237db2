"""Events, spans and metrics as bytes: OTLP protobuf, NDJSON, and the attributes that OpenTelemetry names.

Imports: `metrics` and the ground floor.
To add: a format is one file with `request` and `rejected_count`; an attribute goes into the file of its convention.
"""
