"""How anything leaves for the outside: whom to trust besides the usual authorities, and through which proxy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from dashlight.deliver.transport.urls import checked_url, masked
from dashlight.errors import SettingsError
from dashlight.units import small_file

CA_VARIABLE, PROXY_VARIABLE = "DASHLIGHT_CA", "DASHLIGHT_PROXY"
_MOST_CA_BYTES = 2**24
_CA_WANTED = "a readable file of certificates in PEM"


@dataclass(frozen=True, slots=True, repr=False)
class Egress:
    """The way out that all deliveries share."""

    authorities: str = ""
    """File of certificates to trust besides the usual ones; empty: none."""
    proxy: str = ""
    """URL of an http or https proxy, without credentials; empty: none."""
    proxy_credentials: tuple[str, str] | None = None
    """User and password for the proxy. Never shown."""
    unproxied: str = ""
    """Hosts that are reached directly, each with all below it, between commas; `*` for all: as NO_PROXY lists them."""

    def proxies(self, host: str) -> bool:
        """Whether requests to *host* go through the proxy."""
        name = host.rstrip(".").lower()
        listed = (each.strip().lower() for each in self.unproxied.split(","))
        direct = (each.removeprefix("*").removeprefix(".") for each in listed if each and each != "*")
        is_direct = self.unproxied == "*" or any(name == each or name.endswith(f".{each}") for each in direct)
        return bool(self.proxy) and not is_direct

    def __repr__(self) -> str:
        """Everything but the credentials."""
        return f"Egress(authorities={self.authorities!r}, proxy={masked(self.proxy)!r}, unproxied={self.unproxied!r})"


def egress_of(environ: Mapping[str, str], *, authorities: str, proxy: str) -> Egress:
    """The way out that DASHLIGHT_CA and DASHLIGHT_PROXY ask for; NO_PROXY of *environ* is obeyed beside a proxy.

    Raises:
        SettingsError: a file that cannot be read or holds no certificate, a proxy that is no http or https URL, or both.
    """
    mistakes: list[SettingsError] = []
    found = Egress(authorities)
    try:
        if authorities:
            _check_authorities(authorities)
    except SettingsError as mistake:
        mistakes.append(mistake)
    try:
        if proxy.strip():
            url, credentials = _parted(proxy.strip())
            unproxied = environ.get("no_proxy", "") or environ.get("NO_PROXY", "")
            found = Egress(authorities, checked_url(url, variable=PROXY_VARIABLE), credentials, unproxied.strip())
    except SettingsError as mistake:
        mistakes.append(mistake)
    if mistakes:
        raise SettingsError.of(mistakes)
    return found


def _check_authorities(path: str) -> None:
    import ssl  # noqa: PLC0415 - takes a while, and only who delivers over TLS needs it

    try:
        small_file(Path(path), most_bytes=_MOST_CA_BYTES)
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # of which ssl.SSLError is one
        raise SettingsError(CA_VARIABLE, path, _CA_WANTED) from None


def _parted(proxy: str) -> tuple[str, tuple[str, str] | None]:
    """The URL of a proxy without its credentials, and these."""
    scheme, separator, rest = proxy.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not separator or not at:
        return proxy, None
    user, _, password = credentials.partition(":")
    return f"{scheme}://{place}", (unquote(user), unquote(password))
