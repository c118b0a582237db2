"""Runs a KServe script with its listener on 127.0.0.1: KServe itself listens on all addresses, whatever it is told."""

import runpy
import sys
from typing import Any

import uvicorn


class LoopbackConfig(uvicorn.Config):
    """The host is not KServe's to choose."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "host": "127.0.0.1"})


if __name__ == "__main__":
    # Before KServe, whose server looks the name up in uvicorn. Its gRPC server has no host to choose: it is left out.
    uvicorn.Config = LoopbackConfig  # type: ignore[misc]
    script = sys.argv.pop(1)
    sys.argv += ["--enable_grpc", "false"]
    runpy.run_path(script, run_name="__main__")
