"""What `dashlight run` puts in front of the server that it starts: one file a server.

Imports: the package's top (`dashlight.watch`).
To add: a server is one file with a `patch`, named in `start/sitecustomize.py` by the module that it patches.
"""
