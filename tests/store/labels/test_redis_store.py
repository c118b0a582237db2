from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import redis

from dashlight.errors import SettingsError, StateError
from dashlight.labels.label import Label
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.redis_link import RedisLink, shown_url
from dashlight.store.labels.redis_store import RedisLabelStore
from dashlight.store.labels.redis_tending import RedisTending
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]
MakeStore = Callable[..., RedisLabelStore]
NOW = 1_700_000_000.0
DAY = 86400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def make_store(redis_url: str, hash_key: HashKey, clock: FakeClock) -> Iterator[MakeStore]:
    opened, one = list[RedisLabelStore](), uuid.uuid4().hex

    def make(
        *, url: str = redis_url, application: str = one, window: float = DAY, most_bytes: int = 1 << 30,
        most_waiting_bytes: int = 1 << 25, authorities: str = "",
    ) -> RedisLabelStore:  # fmt: skip
        store = RedisLabelStore(
            url, application=application, hash_key=hash_key, label_window=window, most_bytes=most_bytes, clock=clock,
            write_seconds=0.02, most_waiting_bytes=most_waiting_bytes, authorities=authorities,
        )  # fmt: skip
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close(1.0)


def tend(store: RedisLabelStore) -> None:
    store._tending._looked_at = float("-inf")
    store._tending.step()


def names_of(store: RedisLabelStore, url: str) -> list[bytes]:
    client = redis.Redis.from_url(url)
    names = list(client.scan_iter(f"{store._home.prefix}*", count=10_000))
    client.close()
    return names


def test_a_redis_that_is_away_stops_nothing_and_gets_everything_when_it_comes(
    tmp_path: Path, make_store: MakeStore, rows: Make, caplog: pytest.LogCaptureFixture, redis_url: str
) -> None:
    caplog.set_level(logging.INFO)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = make_store(url=f"redis://:hush-hush@127.0.0.1:{port}/0")
    begin = time.perf_counter()
    for n in range(50):
        store.keep(rows([f"{n}"], at=NOW))
    took = time.perf_counter() - begin
    store.flush(5.0)

    with pytest.raises(StateError, match=f"redis://127.0.0.1:{port}/0: ConnectionError") as caught:
        store.label([Label("0", "yes")], NOW)
    assert took < 1.0
    assert store.troubles()["write_failed"] >= 1
    server = shutil.which("redis-server")
    assert server is not None
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen([server, *options, "--requirepass", "hush-hush"], stdout=subprocess.DEVNULL) as process:
        try:
            deadline, fates = time.monotonic() + 30, ["unknown"]
            while fates != ["matched"] and time.monotonic() < deadline:
                time.sleep(0.05)
                store.flush(1.0)
                try:
                    fates = [*store.label([Label("49", "yes")], NOW)]
                except StateError:
                    continue
                fates = ["matched"] if "duplicate" in fates else fates
            assert sum(each.row_count for each in store.met(0, most_rows=9).rows) == 1
        finally:
            store.close(1.0)
            process.kill()
    said = [record.getMessage() for record in caplog.records]
    assert sum("takes no predictions for the moment" in each for each in said) == 1
    assert sum("takes predictions again" in each for each in said) == 1
    assert "hush-hush" not in " ".join([*said, str(caught.value)])
    assert store.troubles().get("not_kept", 0) == 0


def test_what_waits_for_a_redis_is_bounded_and_counted(make_store: MakeStore, rows: Make) -> None:
    store = make_store(url="redis://127.0.0.1:1/0", most_waiting_bytes=100_000)
    for _ in range(100):
        store.keep(rows([f"{n}" for n in range(100)], at=NOW))

    store.close(0.5)

    assert store.troubles()["not_kept"] == 10_000


def test_a_wrong_password_is_said_and_none_is_shown(make_store: MakeStore, redis_url: str) -> None:
    store = make_store(url=redis_url.replace("open-sesame", "wrong-secret"))

    with pytest.raises(StateError) as caught:
        store.label([Label("a", "yes")], NOW)

    assert "AuthenticationError" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hush@h",
        "redis://u:hush@h:99999999",
        "redis://u:hush@h/0?socket_timeout=x",
        "redis://u:hush/x@h:6379/0",
        "redis://:12/hush@h:6379/0",
        "redis://hush/12@h:6379/0",
        "redis://:hush#12@h:6379/0",
        "redis://:12#hush@h:6379/0",
        "redis://:12?hush@h:6379/0",
        "redis://[hush/0",
        "redis://u:hush@",
        "redis://h/hush",
        "redis://h/0#hush",
        "redis://h/0?password_=hush",
        "redis://h/0?ssl_cert_reqs=hush",
        "rediss://h/0?ssl_cert_reqs=hush",
    ],
)
def test_what_is_no_redis_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_STORE=") as caught:
        RedisLink(url)

    assert "hush" not in str(caught.value)
    assert "hush" not in shown_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h", "redis://h"),
        ("redis://u:a%2Fb%40@h:6380/3", "redis://h:6380/3"),
        ("rediss://:p@[::1]:6380/?db=2&ssl_cert_reqs=none", "rediss://[::1]:6380/"),
        ("redis://h/0?password=hush&username=u", "redis://h/0"),
    ],
)
def test_a_redis_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert RedisLink(url).shown == shown


def test_applications_do_not_meet(make_store: MakeStore, rows: Make) -> None:
    one, other = make_store(), make_store(application="another")
    one.keep(rows(["a"], at=NOW))
    one.flush(5.0)

    assert other.label([Label("a", "yes")], NOW) == ["unknown"]
    assert other.met(0, most_rows=9).rows == ()


def test_everything_expires(make_store: MakeStore, rows: Make, redis_url: str) -> None:
    store = make_store()
    store.keep(rows(["a", "b"], at=NOW, entities=["u", "w"], codes=True))
    store.flush(5.0)
    store.label([Label("a", "yes"), Label("never", "yes")], NOW)

    client = redis.Redis.from_url(redis_url)
    seconds = {name.decode().split("}:")[1]: client.ttl(name) for name in names_of(store, redis_url)}
    client.close()

    lasting = {name for name, ttl in seconds.items() if ttl == -1}
    assert lasting == {"slices", "layouts", "layout_ids", "bytes", "rows", "met", "next"}
    assert all(0 < ttl <= DAY + 3600 for name, ttl in seconds.items() if name not in lasting)


def test_what_waited_long_enough_goes(
    make_store: MakeStore, rows: Make, clock: FakeClock, model: ModelKey, redis_url: str
) -> None:
    store = make_store()
    store.keep(rows([f"{n}" for n in range(500)], at=NOW, codes=True))
    store.flush(5.0)
    store.label([Label("1", "yes")], NOW)
    clock.advance(4 * DAY)

    tend(store)

    assert store.unlabelled(model, since_at=0.0, most_rows=9) is None
    assert store.met(0, most_rows=9).rows == ()
    assert store.troubles() == {}
    left = {name.decode().split("}:")[1].split(":")[0] for name in names_of(store, redis_url)}
    assert left <= {"layouts", "layout_ids", "next", "c", "level"}


def test_the_oldest_give_way_where_there_is_no_room(make_store: MakeStore, rows: Make, model: ModelKey) -> None:
    store = make_store(window=64 * DAY, most_bytes=400_000)
    for n in range(8):
        store.keep(rows([f"{n}:{place}" for place in range(1000)], at=NOW + n * DAY))
        store.flush(5.0)
        tend(store)

    assert store.label([Label("0:1", "yes"), Label("7:1", "yes")], NOW + 8 * DAY) == ["unknown", "matched"]
    assert store.troubles()["gave_way"] % 1000 == 0
    assert 0 < store.troubles()["gave_way"] < 7000


def test_a_sample_that_grows_too_large_thins_itself(
    make_store: MakeStore, rows: Make, model: ModelKey, clock: FakeClock
) -> None:
    store = make_store()
    store._tending = RedisTending(store._home, clock=clock, most_bytes=1 << 30, most_drawn=1000)
    for n in range(8):
        store.keep(rows([f"{n}:{place}" for place in range(1000)], at=NOW + n, codes=True))
        store.flush(5.0)
        tend(store)

    scored = store.scored(model, since_at=0.0, until_at=NOW + 99, most_rows=10**6)
    drawn = np.concatenate([each.predicted_at[each.sampled] for each in scored if each.sampled is not None])
    assert sum(each.row_count for each in scored) == 8000
    assert 250 < len(drawn) <= 1100
    assert abs(drawn.mean() - NOW - 3.5) < 5 * np.sqrt(63 / 12 / len(drawn))
    for each in scored:
        if each.codes is not None and each.sampled is not None:
            assert (each.codes[0] == each.places[each.sampled] % 256).all()


def test_what_is_sent_again_after_an_answer_that_was_lost_counts_once(
    make_store: MakeStore, rows: Make, model: ModelKey
) -> None:
    store = make_store()
    made = rows(["a", "b"], at=NOW, codes=True)
    store._write([made])
    store._write([made])

    (scored,) = store.scored(model, since_at=0.0, until_at=NOW + 1, most_rows=9)
    assert store.waiting(model, since_at=0.0).predictions.sum() == 2
    assert scored.row_count == 2


def test_machines_label_at_once_and_each_label_meets_once(make_store: MakeStore, rows: Make, model: ModelKey) -> None:
    stores = [make_store() for _ in range(4)]
    stores[0].keep(rows([f"{n}" for n in range(400)], at=NOW))
    stores[0].flush(5.0)
    fates: list[str] = []

    def label(store: RedisLabelStore) -> None:
        for begin in range(0, 400, 20):
            fates.extend(store.label([Label(f"{n}", "yes") for n in range(begin, begin + 20)], NOW))

    threads = [threading.Thread(target=label, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (fates.count("matched"), fates.count("duplicate")) == (400, 1200)
    assert sum(each.row_count for each in stores[0].met(0, most_rows=9999).rows) == 400
    assert store_labelled(stores[1], model) == 400


def store_labelled(store: RedisLabelStore, model: ModelKey) -> int:
    return int(store.waiting(model, since_at=0.0).labelled.sum())


def test_answers_that_are_nonsense_are_a_trouble_and_no_crash(
    make_store: MakeStore, rows: Make, model: ModelKey, redis_url: str
) -> None:
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)
    store.label([Label("a", "yes")], NOW)
    client = redis.Redis.from_url(redis_url)
    prefix = store._home.prefix
    client.zadd(f"{prefix}met", {"nonsense": 1 << 60})
    for name in client.scan_iter(f"{prefix}r:*"):
        for key in client.hkeys(name):
            client.hset(name, key, b"\x01\x00\x00\x00cut")
    client.close()

    for read in (
        lambda: store.met(0, most_rows=9),
        lambda: store.scored(model, since_at=0.0, until_at=NOW + 9, most_rows=9),
        lambda: store.label([Label("a", "yes")], NOW),
    ):
        with pytest.raises(StateError):
            read()


def test_tls_is_spoken_and_certificates_are_checked(
    tmp_path: Path, make_store: MakeStore, rows: Make, redis_url: str
) -> None:
    openssl, server = shutil.which("openssl"), shutil.which("redis-server")
    if openssl is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(server), "--bind", "127.0.0.1", "--port", "0", "--tls-port", str(port), "--save", ""]
    command += ["--dir", str(tmp_path), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    command += ["--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            trusting = make_store(url=f"rediss://127.0.0.1:{port}/0", authorities=str(certificate))
            trusting.keep(rows(["a"], at=NOW))
            trusting.flush(5.0)
            assert trusting.label([Label("a", "yes")], NOW) == ["matched"]
            with pytest.raises(StateError, match="ConnectionError"):
                make_store(url=f"rediss://127.0.0.1:{port}/0").label([Label("a", "yes")], NOW)
            trusting.close(1.0)
        finally:
            process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_by_itself(make_store: MakeStore, rows: Make) -> None:
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.forget()
            store.keep(rows(["b"], at=NOW))
            store.flush(5.0)
            status = int(list(store.label([Label("a", "yes")], NOW)) != ["matched"])
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    assert store.label([Label("a", "yes"), Label("b", "yes")], NOW) == ["duplicate", "matched"]
