"""Whether a file is HEIC or AVIF, by the brands that its first box lists (ISO/IEC 14496-12, ftyp)."""

from __future__ import annotations

_NAMES = {b"avif": "AVIF", b"avis": "AVIF"}
_NAMES |= dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "HEIC")
_HEAD = 256  # bytes of a file that are searched


def brand(data: bytes | memoryview) -> str | None:
    """ "AVIF", "HEIC" or None."""
    head = bytes(data[:_HEAD])
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return next((_NAMES[b] for b in (head[i : i + 4] for i in (8, *range(16, end, 4))) if b in _NAMES), None)
