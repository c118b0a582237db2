"""How fast a language model writes, from the clocks of an exchange."""


def seconds_per_output_token(
    *, first_byte_seconds: float | None, duration_seconds: float, tokens: int | None
) -> float | None:
    """The mean time between two tokens of a streamed answer.

    seconds = (duration - first byte) / (tokens - 1): the first token is there with the first byte.

    Args:
        first_byte_seconds: From the request to the first piece of the answer: the time to the first token of a stream.
        duration_seconds: From the request to the end of the answer.
        tokens: How many were written.

    Returns:
        None where fewer than two tokens were written, or nobody knows; never negative.
    """
    if first_byte_seconds is None or tokens is None or tokens < 2:
        return None
    return max(0.0, duration_seconds - first_byte_seconds) / (tokens - 1)
