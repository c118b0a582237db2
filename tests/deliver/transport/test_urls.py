from __future__ import annotations

import ipaddress

import pytest

from dashlight.deliver.transport.urls import checked_url, is_metadata_address, joined, masked
from dashlight.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:4318", "http://localhost:4318"),
        (" https://collector.example/v1/logs?key=1 ", "https://collector.example/v1/logs?key=1"),
        ("http://[::1]:4318/x", "http://[::1]:4318/x"),
        ("http://10.0.0.1/#top", "http://10.0.0.1/"),
        ("http://bücher.example:8080/ä?q=ö", "http://xn--bcher-kva.example:8080/%C3%A4?q=%C3%B6"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("https://collector.example/mail@team", "https://collector.example/mail@team"),
    ],
    ids=[
        "loopback",
        "spaces around",
        "IPv6",
        "fragment",
        "international",
        "international, no port",
        "sign in the path",
    ],
)
def test_an_address_that_may_be_used_is_taken(url: str, expected: str) -> None:
    assert checked_url(url, variable="DASHLIGHT_COLLECTOR") == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "collector:4318",
        "ftp://collector/",
        "file:///etc/passwd",
        "http://",
        "http://host:port/",
        "http://host:99999/",
        "http://host:0/",
        "http://[::1/",
        "http://ho st/",
        "http://host/\r\nX-Evil: 1",
        f"http://{'ä' * 70}/",
        f"http://{'a' * 70}/",
        "http://no..such/",
    ],
    ids=[
        "nothing",
        "no scheme",
        "FTP",
        "a file",
        "no host",
        "a port that is no number",
        "too large a port",
        "port nought",
        "half a bracket",
        "a space",
        "a second line",
        "too long an international name",
        "too long a name",
        "an empty label",
    ],
)
def test_what_is_no_http_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DASHLIGHT_COLLECTOR=.*expected an http or https URL"):
        checked_url(url, variable="DASHLIGHT_COLLECTOR")


@pytest.mark.parametrize(
    "url", ["https://me:secret@host/", "https://me:secret@[half/", "https://secret@ünder.example/"]
)
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        checked_url(url, variable="DASHLIGHT_COLLECTOR")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "0251.0376.0251.0376",
        "[fd00:ec2::254%25eth0]",
        "[::ffff:169.254.169.254]",
        "[::ffff:100.100.100.200]",
        "[::ffff:0:169.254.169.254]",
        "[::169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ],
)
def test_metadata_services_are_refused_however_they_are_written(host: str) -> None:
    with pytest.raises(SettingsError, match="metadata"):
        checked_url(f"http://{host}/latest", variable="DASHLIGHT_COLLECTOR")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "::ffff:10.1.2.3", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_private_addresses_are_no_metadata(address: str) -> None:
    assert not is_metadata_address(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://host", "http://host/v1/logs"),
        ("http://host/", "http://host/v1/logs"),
        ("http://host/otlp/", "http://host/otlp/v1/logs"),
        ("http://host/v1/logs", "http://host/v1/logs"),
        ("http://host?key=1", "http://host/v1/logs?key=1"),
    ],
)
def test_a_path_is_joined_once(base: str, expected: str) -> None:
    assert joined(base, path="/v1/logs") == expected


def test_what_may_be_secret_is_masked() -> None:
    assert masked("https://me:pw@host/path?token=1") == "https://***@host/path?***"
    assert masked("https://me:p/w@host/path#token=1") == "https://***@host/path#***"
    assert masked("https://me:p?w@x@host") == "https://***@host"
    assert masked("me:pw@host:4318/path") == "***@host:4318/path"
    assert masked("http:/me:pw@host") == "http:/***@host"
    assert masked("https://host/path") == "https://host/path"
