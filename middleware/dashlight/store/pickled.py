"""Our own state as bytes, and back: checked, of one version, and without running anybody else's code."""

import io
import pickle
import struct
import zlib
from collections.abc import Mapping

import numpy as np

from dashlight.errors import StateError
from dashlight.store.frozen import Buffer
from dashlight.version import __version__

FORMAT = 3
"""Number of the layout below; another number is another version, whatever dashlight wrote it."""
STATE_MODULES = ("counting", "judge", "metrics", "records", "watching", "window", "workers")
"""Modules and packages below `dashlight` whose classes may be part of a state."""

_MAGIC = b"DLst"
_HEADER = struct.Struct("<4sHHIQI")
"""Magic, format, bytes of the version, arrays apart, bytes of the pickle, checksum of all that follows: the version, the
bytes of each array in eight bytes, the pickle, and the arrays, each at a multiple of _ALIGNMENT."""
_ALIGNMENT = 64
_LARGE_BYTES = 4096
"""Arrays from this size on stand apart from the pickle: it copies what is inside under the interpreter's lock, and a state
of several megabytes would hold up the event loop for ten milliseconds; writing and summing the others lets go of it."""
_SIZE = struct.Struct("<Q")
_PROTOCOL = 5
_NUMPY_CORE = np.zeros(0).__reduce__()[0].__module__.removesuffix(".multiarray")
"""`numpy.core` until NumPy 1.26, `numpy._core` since 2.0; the other name warns or is not there."""
_ADMITTED: Mapping[str, frozenset[str]] = {
    "builtins": frozenset({"bytearray", "complex", "dict", "float", "frozenset", "int", "list", "set", "slice"}),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque"}),
    "numpy": frozenset({"dtype", "ndarray"}),
    f"{_NUMPY_CORE}.multiarray": frozenset({"_reconstruct", "scalar"}),
    f"{_NUMPY_CORE}.numeric": frozenset({"_frombuffer"}),
    # A reservoir carries its generator: the next row that it keeps is the one it would have kept.
    "numpy.random._pickle": frozenset({"__bit_generator_ctor", "__generator_ctor"}),
    "numpy.random._pcg64": frozenset({"PCG64"}),
    "numpy.random.bit_generator": frozenset({"SeedSequence", "__pyx_unpickle_SeedSequence"}),
}
"""What may be named beside classes of STATE_MODULES: none of it does more than to build a value."""


def freeze(value: object) -> bytes:
    """*value* as bytes that `thaw` of the same version of dashlight reads; StateError where it cannot be pickled."""
    return b"".join(frozen_pieces(value))


def frozen_pieces(value: object) -> list[Buffer]:
    """The bytes of `freeze` in pieces, some of which are arrays of *value* itself: to be written before it changes."""
    version = __version__.encode()
    arrays: list[memoryview] = []

    def stands_inside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes >= _LARGE_BYTES:
            arrays.append(raw)
        return raw.nbytes < _LARGE_BYTES

    file = io.BytesIO()
    try:
        pickle.Pickler(file, _PROTOCOL, buffer_callback=stands_inside).dump(value)
    except Exception as error:  # whatever a class's own pickling may raise
        raise StateError("not_written", f"this state cannot be kept: {type(error).__name__}: {error}") from error
    pickled = file.getbuffer()
    table = b"".join(_SIZE.pack(array.nbytes) for array in arrays)
    pieces: list[Buffer] = [version, table, pickled]
    end = _HEADER.size + len(version) + len(table) + len(pickled)
    for array in arrays:
        pieces += [bytes(-end % _ALIGNMENT), array]
        end += -end % _ALIGNMENT + array.nbytes
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [_HEADER.pack(_MAGIC, FORMAT, len(version), len(arrays), len(pickled), checksum), *pieces]


def thaw(blob: bytes | bytearray | memoryview) -> object:
    """The value that `freeze` made *blob* of; its arrays may lie in *blob* itself, where that is a bytearray.

    Raises:
        StateError: of kind `other_version` where another format or version wrote it, else of kind `corrupt`:
            cut short, half written, changed, or naming what no state of ours holds.
    """
    whole = memoryview(blob if isinstance(blob, bytearray) else bytearray(blob))
    if len(whole) < _HEADER.size:
        raise StateError("corrupt", f"{len(whole)} bytes are no state of Dashlight")
    magic, number, version_bytes, array_count, pickle_bytes, checksum = _HEADER.unpack_from(whole)
    if magic != _MAGIC:
        raise StateError("corrupt", "this is no state of Dashlight")
    if number != FORMAT:
        raise StateError("other_version", f"state of format {number}, expected {FORMAT}")
    if zlib.crc32(whole[_HEADER.size :]) != checksum:
        raise StateError("corrupt", "the state does not match its checksum")
    table_at = _HEADER.size + version_bytes
    version = bytes(whole[_HEADER.size : table_at]).decode(errors="replace")
    if version != __version__:
        raise StateError("other_version", f"state of dashlight {version}, expected {__version__}")
    pickled_at = table_at + array_count * _SIZE.size
    end = pickled_at + pickle_bytes
    if end > len(whole):
        raise StateError("corrupt", f"{len(whole)} bytes of state, expected {end} at least")
    arrays: list[memoryview] = []
    for (size,) in _SIZE.iter_unpack(whole[table_at:pickled_at]):
        begin = end + -end % _ALIGNMENT
        end = begin + size
        arrays.append(whole[begin:end])
    if end != len(whole):
        raise StateError("corrupt", f"{len(whole)} bytes of state, expected {end}")
    try:
        return _Thawing(io.BytesIO(whole[pickled_at : pickled_at + pickle_bytes]), buffers=arrays).load()
    except StateError:
        raise
    except Exception as error:  # also MemoryError and RecursionError: a pickle can ask for anything
        raise StateError("corrupt", f"the state cannot be read: {type(error).__name__}") from error


class _Thawing(pickle.Unpickler):
    """Builds values of our own classes, and the few foreign ones that they hold."""

    def find_class(self, module_name: str, global_name: str) -> object:
        """The class or function of that name, if a state may hold it; StateError otherwise."""
        module_name = _present_name(module_name)
        if global_name in _ADMITTED.get(module_name, ()):
            return super().find_class(module_name, global_name)
        # A name with a dot would lead through an admitted module to whatever that module imports.
        if _is_ours(module_name) and "." not in global_name:
            found: object = super().find_class(module_name, global_name)
            if isinstance(found, type) and found.__module__ == module_name:
                return found
        raise StateError("corrupt", f"a state of Dashlight does not hold {module_name}.{global_name}")


def _present_name(module_name: str) -> str:
    """A module of NumPy's core under the name that it has here."""
    for name in ("numpy.core.", "numpy._core."):
        if module_name.startswith(name):
            return f"{_NUMPY_CORE}.{module_name.removeprefix(name)}"
    return module_name


def _is_ours(module_name: str) -> bool:
    package, _, below = module_name.partition(".")
    return package == "dashlight" and below.split(".", 1)[0] in STATE_MODULES


class Pickled:
    """The layout of what has no layout of its own yet."""

    def freeze(self, value: object, /) -> list[Buffer]:
        """As `frozen_pieces`."""
        return frozen_pieces(value)

    def thaw(self, blob: bytearray, /) -> object:
        """As `thaw`."""
        return thaw(blob)


PICKLED = Pickled()
