from __future__ import annotations

from pathlib import Path

import pytest

from dashlight.deliver.transport.egress import Egress, egress_of
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import SettingsError


def test_without_settings_everything_goes_straight_out() -> None:
    egress = egress_of({"HTTPS_PROXY": "http://proxy:3128"}, authorities="", proxy="")

    assert egress == Egress()
    assert not egress.proxies("example.com")


def test_the_credentials_of_a_proxy_are_kept_and_never_shown() -> None:
    egress = egress_of({}, authorities="", proxy=" https://us%40er:hunter2:x@proxy.example:3128 ")

    assert (egress.proxy, egress.proxy_credentials) == ("https://proxy.example:3128", ("us@er", "hunter2:x"))
    assert "hunter2" not in repr(egress)
    assert "hunter2" not in repr(Endpoint("https://example.com", egress=egress))


@pytest.mark.parametrize(
    ("unproxied", "host"),
    [
        ("example.com", "example.com"),
        ("Example.com", "a.b.EXAMPLE.com."),
        ("localhost, .example.com", "a.example.com"),
        ("*.example.com", "a.example.com"),
        ("127.0.0.1,::1", "::1"),
        ("*", "example.com"),
    ],
)
def test_a_host_of_no_proxy_is_reached_directly(unproxied: str, host: str) -> None:
    assert not egress_of({"NO_PROXY": unproxied}, authorities="", proxy="http://proxy:3128").proxies(host)


@pytest.mark.parametrize("unproxied", ["", ",", "other.com", "ample.com", "a.example.com", "**"])
def test_any_other_host_is_reached_by_the_proxy(unproxied: str) -> None:
    assert egress_of({"no_proxy": unproxied}, authorities="", proxy="http://proxy:3128").proxies("example.com")


@pytest.mark.parametrize("proxy", ["proxy:3128", "socks5://user:hunter2@proxy", "http://", "http://169.254.169.254"])
def test_what_is_no_proxy_is_a_mistake_that_shows_no_credentials(proxy: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_PROXY") as caught:
        egress_of({}, authorities="", proxy=proxy)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_certificates_is_a_mistake(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SettingsError, match=r"DASHLIGHT_CA=.*PEM"):
        egress_of({}, authorities=str(path), proxy="")
