"""Bodies by their media type: JSON, CSV, Arrow, Parquet, npy, multipart, event streams, images, compression. Pure.

Imports: `decode.rows` and below. Every reader is linear in the bytes, whatever they are.
To add: a format is one file; `bodies.py` chooses it by content type.
"""
