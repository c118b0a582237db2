"""Dashlight for MLServer: its REST and its gRPC server, watched by one line.

`dashlight run -- mlserver start .` needs nothing else. Without it, one line of MLServer's `settings.json` does the same:
`"model_repository_implementation": "dashlight_mlserver.watched_repository"`.
"""

from dashlight_mlserver.servers import watch, watched_repository

__all__ = ["watch", "watched_repository"]
