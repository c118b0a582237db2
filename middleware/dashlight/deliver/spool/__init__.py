"""What waits on disk: segments of checked records in directories that their owners lock.

`spool` joins the parts for the threads that deliver; `inspection` looks at it from outside. Imports nothing of delivery.
Add here what changes how a batch is kept on disk, not what it says.
"""
