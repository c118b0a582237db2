"""Where predictions wait for their labels: in a file of this machine (SQLite), or where several machines meet (Redis).

Both keep rows packed by batch (`packing`), write them on a thread of their own (`writing`), and join them alike (`joining`).
Imports: `labels`, the files of `store`, and the ground floor.
To add: another place to wait is one file here that does what `labels.store.LabelStore` says.
"""
