"""Example commands in error messages, with the address that the caller used."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HOST = re.compile(r"([\w.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:\d{1,5})?")
#: A path prefix as gateways send it in X-Forwarded-Prefix.
PREFIX = re.compile(r"(/[\w.-]+){0,9}")
_PART = re.compile(r"[\w.-]{1,100}")


def command(line: str, headers: Mapping[str, str], path: Mapping[str, str]) -> str:
    """`line` with the address that a request was sent to as {url}, and the parts of the path that it named.

    What could not be pasted into a shell is left out.
    """
    scheme, host, prefix = (headers.get(name, "") for name in ("x-forwarded-proto", "host", "x-forwarded-prefix"))
    shown = host if _HOST.fullmatch(host) else "HOST"
    url = f"{'https' if scheme == 'https' else 'http'}://{shown}{prefix if PREFIX.fullmatch(prefix) else ''}"
    for name, part in {**path, "url": url}.items():
        if name == "url" or _PART.fullmatch(part):
            line = line.replace(f"{{{name}}}", part)
    return line
