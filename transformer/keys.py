"""API keys: a file of names and hashes."""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import os
import re
import time
from pathlib import Path

from ppocr_api.errors import ConfigError, Unauthorized

log = logging.getLogger("ppocr.access")

#: How often to look whether the file has changed [seconds].
CHECK_INTERVAL_SECONDS = 1.0
#: Of the file: some ten thousand keys.
MAX_BYTES = 1 << 20
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([0-9a-f]{64})")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


class Keys:
    """The keys of a file, each line NAME:HASH, where HASH is the key's SHA-256 in lower-case hexadecimals.

    Keys are random and long, so one round of a plain hash is enough. A name may stand in several lines: then it has several keys,
    as while one replaces the other. Empty lines and those that begin with # are left out.

    The file is read again when it has changed; one that can't be read then leaves the keys as they were, and is logged.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._looked = time.monotonic()
        try:
            self._stamp = self._stat()
            self._keys = _parse(_text(self._path))
        except (OSError, ValueError) as error:
            raise ConfigError(f"the api_key_file can't be used: {_reason(error)}") from error

    def client(self, authorization: str) -> str:
        """The name of the key in an `Authorization` header. Raises Unauthorized."""
        self._look()
        given = _BEARER.fullmatch(authorization.strip())
        if given is None:
            raise Unauthorized("this service needs a key: send the header 'Authorization: Bearer KEY'")
        digest = hashlib.sha256(given.group(1).encode("utf-8", "surrogateescape")).hexdigest()
        # All are compared, in constant time: how long it takes says nothing of the keys.
        found = [name for name, known in self._keys if hmac.compare_digest(known, digest)]
        if not found:
            raise Unauthorized("the key is unknown")
        return found[0]

    def _stat(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _look(self) -> None:
        if time.monotonic() - self._looked < CHECK_INTERVAL_SECONDS:
            return
        self._looked = time.monotonic()
        try:
            stamp = self._stat()
            if stamp != self._stamp:
                self._stamp = stamp
                self._keys = _parse(_text(self._path))
                log.info("the file of keys was read again: %d keys", len(self._keys))
        except (OSError, ValueError) as error:
            log.error("the file of keys can't be read, and the former keys stay: %s", _reason(error))


def _text(path: Path) -> str:
    """What the file holds. Raises OSError, or ValueError if no file of keys is such."""
    if not path.is_file():  # a pipe would be waited for
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("it is too large")
    return path.read_text(encoding="ascii")


def _parse(text: str) -> tuple[tuple[str, str], ...]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    keys = []
    for number, line in lines:
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValueError(f"line {number} is not NAME:HASH, with a SHA-256 in lower-case hexadecimals")
            keys.append((found.group(1), found.group(2)))
    if not keys:
        raise ValueError("it has no key")
    return tuple(keys)


def _reason(error: Exception) -> str:
    """Without the path, and without what stands in the file."""
    if isinstance(error, UnicodeDecodeError):
        return "it isn't plain ASCII"
    return (error.strerror or "it can't be read") if isinstance(error, OSError) else str(error)
