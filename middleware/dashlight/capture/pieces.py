"""What is kept of the pieces of a body."""


def keep_part(chunks: list[bytes], body: bytes | bytearray | memoryview, room: int) -> int:
    """Appends a copy of as much of *body* as *room* lets in, and returns how much that was.

    A copy because what is not `bytes` may be reused by its owner, and because a slice must not keep the whole alive.
    """
    if not room:
        return 0
    kept = bytes(memoryview(body)[:room])
    chunks.append(kept)
    return len(kept)
