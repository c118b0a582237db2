"""What `dashlight run` calls once MLServer has been imported."""

from types import ModuleType

from dashlight_mlserver.servers import watch


def patch(module: ModuleType) -> None:
    """Watches the servers that the program builds from now on; *module* is `mlserver.rest.server`, imported."""
    del module  # Its gRPC sibling is meant too: both are found by their names.
    watch()
