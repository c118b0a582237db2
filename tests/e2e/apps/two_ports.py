"""Serves a watched app and the same without Dashlight from one process: python -m two_ports MODULE PORT BARE_PORT."""

import socket
import sys
from importlib import import_module
from typing import Any

import uvicorn


def main(module: str, port: int, bare_port: int) -> None:
    """Serves `app` and `bare` of *module* until it is told to stop."""
    apps = import_module(module)

    async def by_port(scope: Any, receive: Any, send: Any) -> None:
        # The lifespan is that of the watched app, in which Dashlight starts and ends.
        is_bare = scope["type"] != "lifespan" and scope["server"][1] == bare_port
        await (apps.bare if is_bare else apps.app)(scope, receive, send)

    sockets = [socket.create_server(("127.0.0.1", each)) for each in (port, bare_port)]
    uvicorn.Server(uvicorn.Config(by_port, log_level="warning")).run(sockets=sockets)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
