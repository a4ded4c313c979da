"""Which URLs may be fetched, and which addresses may be reached."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ppocr_api.errors import ConfigError, InvalidRequest
from transformer.urls.hosts import Hosts, Target, first_public, is_public

HOSTS = Hosts("images.example.com, *.cdn.example.com http://scans.example.com:8000 127.0.0.1")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://images.example.com/a.png?b=c#d", Target("https", "images.example.com", 443, "/a.png?b=c")),
        ("HTTPS://IMAGES.example.com:443", Target("https", "images.example.com", 443, "/")),
        ("https://a.b.cdn.example.com./x", Target("https", "a.b.cdn.example.com", 443, "/x")),
        ("http://scans.example.com:8000/x", Target("http", "scans.example.com", 8000, "/x")),
    ],
)
def test_urls_of_allowed_hosts(url: str, target: Target) -> None:
    assert HOSTS.target(url, "input 0") == target


@pytest.mark.parametrize(
    "url",
    [
        "http://images.example.com/a.png",
        "https://images.example.com:8443/a.png",
        "https://images.example.com.evil.example/a.png",
        "https://evilimages.example.com/",
        "https://cdn.example.com/",
        "https://xcdn.example.com/",
        "https://.cdn.example.com/",
        "https://scans.example.com:8000/",
        "https://user:secret@images.example.com/",
        "https://images.example.com@evil.example/",
        "https://images.example.com\\@evil.example/",
        "https://images.example.com\r\nx/",
        "https://images.example.com/a b",
        "https://ımages.example.com/",
        "https://[::1/",
        "https://images.example.com:99999/",
        "https://",
        "ftp://images.example.com/",
        "https://images.example.com/" + "a" * 8192,
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^input 0: "):
        HOSTS.target(url, "input 0")


@pytest.mark.parametrize(
    "listed", ["*", "*.", "a..b", "ftp://x.example", "https://x.example/path", "x.example:0", "[::1]", "a_b"]
)
def test_an_entry_that_is_no_host_ends_the_start(listed: str) -> None:
    with pytest.raises(ConfigError, match="url_hosts"):
        Hosts(listed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "2002:7f00:1::",
        "2001:0:1::1",
    ],
)
def test_addresses_of_the_inside_are_never_reached(address: str) -> None:
    assert not is_public(ip_address(address))
    assert first_public([ip_address("93.184.216.34"), ip_address(address)]) is None


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_addresses_of_the_open_internet(address: str) -> None:
    assert first_public([ip_address(address)]) == ip_address(address)
    assert first_public([]) is None
