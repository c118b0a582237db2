from __future__ import annotations

import logging
import threading

import httpcore
import pytest

from dashlight.deliver.transport.silence import silenced


@pytest.mark.parametrize("name", ["httpcore.connection", "httpcore.http11", "httpcore.http2", "hpack.hpack"])
def test_nothing_is_heard_of_our_own_requests(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger(name)

    with silenced():
        logger.debug("ours")
    logger.debug("theirs")

    assert caplog.messages == ["theirs"]


def test_another_thread_is_heard_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with silenced():
        other = threading.Thread(target=logging.getLogger("httpcore.http11").debug, args=("theirs",))
        other.start()
        other.join()

    assert caplog.messages == ["theirs"]


def test_the_silence_ends_with_a_mistake(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(httpcore.ConnectError), silenced():
        raise httpcore.ConnectError
    logging.getLogger("httpcore.http11").debug("theirs")

    assert caplog.messages == ["theirs"]


def test_every_logger_of_httpcore_is_known() -> None:
    known = {name for name in logging.root.manager.loggerDict if name.startswith("httpcore.")}

    assert known == {f"httpcore.{each}" for each in ("connection", "http11", "http2", "proxy", "socks")}
