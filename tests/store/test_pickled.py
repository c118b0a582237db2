"""State comes back as it was, or not at all, and never runs anybody else's code."""

from __future__ import annotations

import pickle
import struct
import subprocess
import sys
import threading
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashlight
from dashlight import DriftDetector
from dashlight.errors import StateError
from dashlight.records import Alert, Score
from dashlight.store.pickled import freeze, thaw
from dashlight.window.panes import Panes


def packed(payload: bytes, *, version: str = dashlight.__version__, number: int = 3) -> bytes:
    """A pickle in the wrapping that `freeze` gives its own; the layout is typed out here on purpose."""
    body = version.encode() + payload
    return struct.pack("<4sHHIQI", b"DLst", number, len(version), 0, len(payload), zlib.crc32(body)) + body


@given(st.lists(st.integers(1, 3000), max_size=4))
def test_large_arrays_come_back_writable_and_aligned_wherever_they_stood(sizes: list[int]) -> None:
    arrays = [np.arange(size, dtype=np.float64).reshape(1, -1) for size in sizes]

    found = thaw(bytearray(freeze([*arrays, arrays])))

    assert isinstance(found, list)
    *each, together = found
    for array, written, again in zip(arrays, each, together, strict=True):
        np.testing.assert_array_equal(written, array)
        assert written is again
        assert written.flags.writeable
        assert written.flags.aligned


def test_an_array_that_is_cut_off_is_damage() -> None:
    blob = freeze(np.zeros(1000))

    assert {kind_of(blob[:-length]) for length in (1, 63, 8000)} == {"corrupt"}


def kind_of(blob: bytes) -> str:
    with pytest.raises(StateError) as caught:
        thaw(blob)
    return caught.value.kind


def outcome_of(blob: bytes) -> object:
    """The value, or of what kind the refusal is; whatever else is raised, is."""
    try:
        return thaw(blob)
    except StateError as error:
        return error.kind


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each) | st.tuples(each, each),
    max_leaves=20,
)


@given(plain)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert thaw(freeze(value)) == value


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert freeze([1]) == packed(pickle.dumps([1], 5))


def test_a_view_of_the_bytes_is_as_good_as_the_bytes() -> None:
    assert thaw(memoryview(freeze({"a": 1}))) == {"a": 1}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3), np.float32)),
        np.arange(20)[::3],
        np.array(["a", "bc"]),
        np.array(["a", None, 3], object),
        np.zeros(3, "V16"),
        np.zeros(2, [("a", np.int8), ("b", np.float64)]),
        np.array([], np.uint16),
        np.array(3.5),
    ],
    ids=["counts", "by columns", "with gaps", "texts", "objects", "ids", "records", "empty", "one number"],
)
def test_an_array_comes_back_and_can_be_added_to(array: np.ndarray[Any, Any]) -> None:
    found = thaw(freeze(array))

    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        np.float64(1.5),
        np.int16(3),
        np.dtype("<i4"),
        Counter("abca"),
        OrderedDict(a=1),
        defaultdict(int, a=1),
        defaultdict(list, a=[1]),
        defaultdict(dict, a={}),
        defaultdict(float, a=1.0),
        deque([1, 2], maxlen=3),
        {1, 2},
        frozenset("ab"),
        slice(1, 2),
        1 + 2j,
        bytearray(b"ab"),
        Score("age", "feature", "psi", 0.1, 0.0, 0.2, 100),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_state_is_made_of_comes_back(value: object) -> None:
    found = thaw(freeze(value))

    assert found == value
    assert type(found) is type(value)


def test_a_generator_goes_on_where_it_was() -> None:
    rng = np.random.default_rng(7)
    rng.random(3)

    found = thaw(freeze(rng))

    assert isinstance(found, np.random.Generator)
    np.testing.assert_array_equal(found.random(5), rng.random(5))


def test_a_judge_goes_on_where_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    path = tmp_path / "reference.json"
    DriftDetector({"age": rng.normal(40, 10, 2000), "size": rng.gamma(4, 500, 2000)}).save(path)
    steady, restarted = DriftDetector(path), DriftDetector(path)
    alerts: list[Alert] = []
    for place in range(12):
        pane = {"age": rng.normal(40 + 2 * place, 10, 100), "size": rng.gamma(4, 500, 100)}
        restarted._comparison = thaw(freeze(restarted._comparison))  # type: ignore[assignment]
        changed = steady.update(pane, 10.0 * place)
        assert restarted.update(pane, 10.0 * place) == changed
        alerts += changed

    assert alerts != []
    assert restarted.alerts == steady.alerts
    assert restarted.scores() == steady.scores()


def test_state_of_either_numpy_is_read() -> None:
    def written_by(core: str) -> bytes:
        payload = pickle.dumps(np.arange(3), 5)
        for name in ("multiarray", "numeric"):
            for other in ("numpy._core", "numpy.core"):
                before, after = f"{other}.{name}".encode(), f"{core}.{name}".encode()
                payload = payload.replace(bytes([len(before)]) + before, bytes([len(after)]) + after)
        # Protocol 5 frames its content, and the frame would be of another length: lengths are not needed.
        assert payload[2:3] == b"\x95"
        return packed(payload[:2] + payload[11:])

    np.testing.assert_array_equal(np.asarray(thaw(written_by("numpy.core"))), [0, 1, 2])
    np.testing.assert_array_equal(np.asarray(thaw(written_by("numpy._core"))), [0, 1, 2])


@given(st.data())
def test_a_changed_blob_is_refused_or_harmless(data: st.DataObject) -> None:
    value = {"counts": [1, 2, 3], "text": "abc" * 10}
    blob = bytearray(freeze(value))
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(blob[: data.draw(st.integers(0, len(blob)))]) + data.draw(st.binary(max_size=3))

    assert outcome_of(cut) in ["corrupt", "other_version", value]


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(blob: bytes) -> None:
    assert kind_of(blob) == "corrupt"


# Without the two operations that number what was read: a high number there takes memory before anything is refused.
@given(st.lists(st.sampled_from(sorted(set(range(256)) - set(b"pr"))), max_size=60).map(bytes))
def test_a_pickle_of_any_bytes_is_refused_or_a_plain_value(payload: bytes) -> None:
    assert outcome_of(packed(payload)) != "other_version"


def test_every_length_that_a_half_written_file_may_have_is_refused() -> None:
    blob = freeze(list(range(50)))

    assert {kind_of(blob[:length]) for length in range(len(blob))} == {"corrupt"}


@pytest.mark.parametrize("place", [0, 3, 8, 15, 16, 19, 20, 25, -1])
def test_a_bit_that_is_another_one_is_damage(place: int) -> None:
    blob = bytearray(freeze([1, 2, 3]))
    blob[place] ^= 1

    assert kind_of(bytes(blob)) == "corrupt"


@pytest.mark.parametrize("blob", [packed(b"N.", version="0.0.0"), packed(b"N.", number=1)], ids=["version", "format"])
def test_what_another_version_wrote_is_told_from_damage(blob: bytes) -> None:
    assert kind_of(blob) == "other_version"


class Hostile:
    """Calls *function* where it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def named(module: str, name: str) -> bytes:
    """A pickle of the thing that has this name in *module*."""
    words = b"".join(b"\x8c" + bytes([len(word)]) + word.encode() for word in (module, name))
    return packed(b"\x80\x05" + words + b"\x93.")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("builtins", "__import__"),
        ("builtins", "type"),
        ("subprocess", "Popen"),
        ("functools", "partial"),
        # A deque of 10**12 numbers would hold the interpreter for ever.
        ("builtins", "range"),
        ("operator", "attrgetter"),
        ("copyreg", "_reconstructor"),
        ("numpy", "load"),
        ("numpy", "lib.format.open_memmap"),
        ("numpy.testing", "run_tests"),
        ("numpy._core.multiarray", "fromfile"),
        ("dashlight.errors", "DashlightError"),
        ("dashlight.runtime.process", "Process"),
        ("dashlight.runtime.process", "os.system"),
        ("dashlight.store.learned", "LearnedReferences"),
        ("dashlight.watching.model", "LearnedReferences"),
        ("dashlight.watching.model", "logging.os.system"),
        ("dashlight.records", "Score.__init__"),
        ("dashlight.window.panes", "merge"),
        ("dashlight.window.panes", "np"),
        ("dashlight.window.panes", "SLOTS"),
        ("dashlight.window.panes", "dataclass"),
        ("dashlight.window.no_such_module", "Panes"),
        ("dashlight.window.panes", "NoSuchClass"),
        ("dashlight.window..panes", "Panes"),
        ("dashlight", "records.os"),
        ("dashlight_bentoml", "watch"),
        ("recordsx", "os"),
    ],
)
def test_what_no_state_holds_is_refused(module: str, name: str) -> None:
    assert kind_of(named(module, name)) == "corrupt"


def test_a_class_of_ours_is_not(tmp_path: Path) -> None:
    assert thaw(named("dashlight.window.panes", "Panes")) is Panes


@pytest.mark.parametrize("function", [eval, exec], ids=["eval", "exec"])
def test_no_foreign_code_runs(tmp_path: Path, function: Callable[..., object]) -> None:
    trace = tmp_path / "trace"
    payload = pickle.dumps([1, Hostile(function, f"__import__('os').mkdir({str(trace)!r})")], 5)

    assert kind_of(packed(payload)) == "corrupt"
    assert not trace.exists()
    pickle.loads(payload)
    assert trace.exists()


@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps(Hostile(bytearray, 1 << 62), 5),
        b"\x80\x05\x8e" + (1 << 62).to_bytes(8, "little"),
        b"\x80\x05\x96" + (1 << 62).to_bytes(8, "little"),
        pickle.dumps(Hostile(np.ndarray, (1 << 60,)), 5),
        b"\x80\x05t.",
        b"\x80\x05\x97.",
        b"\x80\x05N\x51.",
        b"\x80\x09N.",
    ],
    ids=["memory", "long bytes", "long buffer", "long array", "nothing", "buffer", "name of a file", "protocol"],
)
def test_absurd_pickles_are_damage(payload: bytes) -> None:
    assert kind_of(packed(payload)) == "corrupt"


@pytest.mark.parametrize("value", [lambda: 1, sys.__stdout__, threading.Lock()], ids=["function", "file", "lock"])
def test_what_cannot_be_kept_says_so(value: object) -> None:
    with pytest.raises(StateError, match="this state cannot be kept") as caught:
        freeze(value)

    assert caught.value.kind == "not_written"


def test_a_process_that_has_not_loaded_the_classes_loads_them() -> None:
    blob = freeze(Panes(2))
    script = (
        "import sys; from dashlight.store.pickled import thaw\nprint(type(thaw(sys.stdin.buffer.read())).__qualname__)"
    )

    found = subprocess.run([sys.executable, "-c", script], input=blob, check=True, capture_output=True)

    assert found.stdout == b"Panes\n"
