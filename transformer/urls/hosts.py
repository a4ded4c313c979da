"""Which hosts images may be fetched from, by the operator's list, and which addresses a connection may go to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from ppocr_api.errors import ConfigError, InvalidRequest

#: Of a URL, in characters: signed ones of object stores have about 2,000.
MAX_URL: Final = 8192
PORTS: Final = {"https": 443, "http": 80}
_ENTRY: Final = re.compile(r"(?:(https?)://)?((?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?/?")
#: Addresses of IPv6 that lead to one of IPv4 which they hold: translated (NAT64), 6to4, Teredo.
_TUNNELS: Final = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))

#: Global to `ipaddress`, or to some of its releases, and yet not of the open internet: services of a host, relays.
_INSIDE: Final = tuple(map(IPv4Network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")))


@dataclass(frozen=True)
class Target:
    """Where a URL leads: `path` is its path and query."""

    scheme: str
    host: str
    port: int
    path: str


class Hosts:
    """The operator's list, such as `images.example.com *.cdn.example.com http://scans.example.com:8000`."""

    def __init__(self, listed: str) -> None:
        """Raises ConfigError for an entry that is no host."""
        self._allowed = [_entry(text) for text in listed.replace(",", " ").lower().split()]

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def target(self, url: str, where: str) -> Target:
        """Where `url` leads. Raises InvalidRequest if that isn't allowed; `where` says in it whose URL it is."""
        if len(url) > MAX_URL:
            raise InvalidRequest(f"{where}: the URL has {len(url)} characters; the maximum is {MAX_URL}")
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise InvalidRequest(f"{where}: the URL has characters that must be escaped")
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").removesuffix("."), parts.port
        except ValueError as error:
            raise InvalidRequest(f"{where}: the URL is malformed") from error
        if "@" in parts.netloc:
            raise InvalidRequest(f"{where}: the URL has a user name; send the image itself")
        scheme = parts.scheme.lower()
        target = Target(scheme, host, PORTS.get(scheme, 0) if port is None else port, _path(parts.path, parts.query))
        if not any(_matches(entry, target) for entry in self._allowed):
            raise InvalidRequest(f"{where}: images are not fetched from {host[:100]!r}; send the image as base64")
        return target


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open internet: not private, link-local, loopback, multicast or reserved."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if any(address in network for network in _TUNNELS) or any(address in network for network in _INSIDE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)


def _entry(text: str) -> Target:
    found = _ENTRY.fullmatch(text)
    if found is None or ".." in text or not 0 < int(found[3] or 1) < 65536:
        raise ConfigError(
            f"url_hosts has {text[:100]!r}, which is not a host such as images.example.com or *.example.com"
        )
    scheme = found[1] or "https"
    return Target(scheme, found[2], int(found[3] or PORTS[scheme]), "")


def _matches(entry: Target, target: Target) -> bool:
    if (entry.scheme, entry.port) != (target.scheme, target.port):
        return False
    if entry.host.startswith("*."):
        return target.host.endswith(entry.host[1:]) and len(target.host) >= len(entry.host)
    return target.host == entry.host


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def first_public(addresses: Sequence[IPv4Address | IPv6Address]) -> IPv4Address | IPv6Address | None:
    """The address to connect to; None if any of them is not public: a name that leads inside is not trusted at all."""
    return addresses[0] if addresses and all(map(is_public, addresses)) else None
