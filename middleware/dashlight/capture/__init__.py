"""From ASGI messages to Exchanges, on the event loop, in microseconds."""
