"""Which addresses Dashlight will send to."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, urlsplit

from dashlight.errors import SettingsError

_WANTED = "an http or https URL"
# Instance metadata of clouds that is not at a link-local address.
_METADATA_ADDRESSES = frozenset({"fd00:ec2::254", "100.100.100.200"})
# Written in IPv6, and delivered in IPv4 to what the last 32 bits say: IPv4-mapped, -translated and -compatible, NAT64.
_ENDS_IN_IPV4 = tuple(
    map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48"))
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_URL_CHARACTERS = "/%:?@!$&'()*+,;=~"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:/{1,3}")
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+(?:%[a-z0-9_.%-]+)?")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


def checked_url(url: str, *, variable: str) -> str:
    """*url* without spaces around it and without a fragment, if Dashlight may send there.

    Raises:
        SettingsError: neither http nor https, no host, credentials in it, or an address at which credentials of the
            machine are kept. The message names *variable* and shows neither credentials nor query.
    """
    trimmed = url.strip()
    try:
        parts = urlsplit(trimmed if trimmed.isascii() else _ascii(trimmed))
        # Refuses names that no resolver takes: with empty or too long labels.
        (parts.hostname or "").encode("idna")
        is_host = _HOST.fullmatch(parts.hostname or "") is not None
        known = parts.scheme in {"http", "https"} and is_host and (parts.port is None or parts.port > 0)
    except ValueError:
        raise SettingsError(variable, masked(trimmed), _WANTED) from None
    if not known or _UNPRINTABLE.search(trimmed):
        raise SettingsError(variable, masked(trimmed), _WANTED)
    if "@" in urlsplit(trimmed).netloc:
        raise SettingsError(variable, masked(trimmed), f"{_WANTED} without credentials; those belong in a header")
    if is_metadata_host(parts.hostname or ""):
        raise SettingsError(variable, masked(trimmed), f"{_WANTED}, not of link-local or metadata addresses")
    return parts._replace(fragment="").geturl()


def masked(url: str) -> str:
    """*url* as it may be shown: credentials, query and fragment replaced, whether or not it can be read as a URL.

    Whatever stands before the last `@` is taken for credentials: a password may hold a `/` or a `?` by mistake.
    """
    scheme = _SCHEME.match(url)
    start = scheme.end() if scheme is not None else 0
    at = url.rfind("@")
    shown = url if at < start else f"{url[:start]}***{url[at:]}"
    return re.sub(r"([?#]).*", r"\1***", shown, flags=re.DOTALL)


def origin(url: str) -> str:
    """Scheme, host and port of *url*, which can be read as one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port is not None else "")


def joined(base: str, *, path: str) -> str:
    """*base* with *path* after it, unless it ends so already."""
    parts: SplitResult = urlsplit(base)
    stem = parts.path.rstrip("/")
    return base if stem.endswith(path) else parts._replace(path=stem + path).geturl()


def is_metadata_host(host: str) -> bool:
    """Whether *host* is by its name or its digits link-local or a cloud's metadata service."""
    name = host.rstrip(".").lower()
    address = _address(name)
    return name in _METADATA_NAMES or (address is not None and is_metadata_address(address))


def is_metadata_address(address: "ipaddress.IPv4Address | ipaddress.IPv6Address") -> bool:
    """Whether *address* is link-local or a cloud's metadata service."""
    return any(each.is_link_local or str(each) in _METADATA_ADDRESSES for each in _meanings(address))


def _meanings(
    address: "ipaddress.IPv4Address | ipaddress.IPv6Address",
) -> "Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]":
    """*address* without its zone, and each IPv4 address that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    yield ipaddress.IPv6Address(int(address))
    if address.sixtofour is not None:
        yield address.sixtofour
    if any(address in network for network in _ENDS_IN_IPV4):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _ascii(url: str) -> str:
    """*url* as it goes over the wire: an international host in Punycode, the rest percent-encoded."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    path, query = quote(parts.path, safe=_URL_CHARACTERS), quote(parts.query, safe=_URL_CHARACTERS)
    return parts._replace(netloc=netloc, path=path, query=query).geturl()


def _address(name: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    try:
        # The resolver also takes 2852039166, 0xa9fea9fe and 169.254.43518 for addresses.
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return None
