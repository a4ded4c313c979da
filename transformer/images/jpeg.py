"""JPEG: checks the marker segments from SOI to EOI, and that every scan is complete (ITU-T T.81, annex B).

libjpeg fills missing data with grey and only warns, so completeness is checked here. Nothing loops over bytes: the
markers inside entropy-coded data are found by comparing whole blocks, which takes about 1 % of the time of decoding.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import Source, check_not_empty, damaged, peak_memory, refused, truncated

_EOI, _SOS, _DRI, _APP1, _TEM = 0xD9, 0xDA, 0xDD, 0xE1, 0x01
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_REFUSED_FRAMES = {0xC3: "a lossless JPEG", 0xC9: "an arithmetic-coded JPEG", 0xCA: "an arithmetic-coded JPEG"}
#: The bytes that, after 0xFF, end a scan: all but a stuffed zero, a fill byte and the restart markers.
_ENDS_SCAN = np.ones(256, np.bool_)
_ENDS_SCAN[[0x00, 0xFF, *range(0xD0, 0xD8)]] = False
_MARKERS = frozenset(np.flatnonzero(_ENDS_SCAN).tolist())  # the same as a set, to test a single byte
#: Blocks that all scans together may visit: even an empty progressive scan of a few bytes visits every block, in about
#: 90 ns each. The usual ten scans of 64 million pixels visit 7 million at 4:2:0, and 13 million at 4:4:4.
_MAX_VISITS = 16_000_000
_MAX_SEGMENTS = 2_000  # 64 MiB are 1,024 full ones
_BLOCK_SEARCHED = 1 << 17  # bytes searched at a time, which stay in the L2 cache
_BLOCK_BYTES = 128  # of the 64 coefficients that libjpeg keeps for each block of a file with several scans


@dataclass
class _Frame:
    width: int
    height: int
    progressive: bool
    components: dict[int, tuple[int, int]]
    seen: set[int] = field(default_factory=set)
    scans: int = 0
    visits: int = 0

    def blocks(self, chosen: list[int]) -> tuple[int, int]:
        """The number of MCUs, and of 8 x 8 blocks, in a scan of these components (T.81, A.2)."""
        wide = max(h for h, _ in self.components.values())
        high = max(v for _, v in self.components.values())
        if len(chosen) == 1:
            h, v = self.components[chosen[0]]
            blocks = _ceil(_ceil(self.width * h, wide), 8) * _ceil(_ceil(self.height * v, high), 8)
            return blocks, blocks
        mcus = _ceil(self.width, 8 * wide) * _ceil(self.height, 8 * high)
        return mcus, mcus * sum(h * v for h, v in (self.components[c] for c in chosen))


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    pixels = np.frombuffer(data, np.uint8)
    position, frame, interval, orientation = 2, None, 0, 1
    for _ in range(_MAX_SEGMENTS):
        position, _ = _next_marker(data, pixels, position)
        marker = data[position + 1]
        position += 2
        if marker == _EOI:
            break
        if marker == _TEM:
            continue
        body = _segment(data, position, marker)
        position += 2 + len(body)
        if marker in _FRAMES:
            if frame is not None:
                raise damaged("JPEG", "it has two frame headers")
            frame = _frame(marker, body, limits)
        elif marker == _DRI:
            (interval,) = struct.unpack_from(">H", body)
        elif marker == _APP1 and orientation == 1 and bytes(body[:6]) == b"Exif\0\0":
            orientation = exif.orientation(body)
        elif marker == _SOS:
            if frame is None:
                raise damaged("JPEG", "a scan comes before the frame header")
            start = position
            position, restarts = _next_marker(data, pixels, position)
            _check_scan(frame, body, position - start, restarts, interval)
    else:
        raise damaged("JPEG", f"it has more than {_MAX_SEGMENTS:,} segments")
    if frame is None:
        raise damaged("JPEG", "it has no frame header")
    if frame.seen != set(frame.components):
        raise truncated("JPEG", "a colour component has no scan")
    area = frame.width * frame.height
    stored = _BLOCK_BYTES * frame.blocks(list(frame.components))[1] if frame.scans > 1 or frame.progressive else 0
    memory = peak_memory(area, 3, orientation, stored)
    return Source("JPEG", data[:position], frame.width, frame.height, memory, orientation)


def _next_marker(data: memoryview, pixels: NDArray[np.uint8], start: int) -> tuple[int, int]:
    """Position of the next marker that ends a scan, and how many restart markers lie before it."""
    if start + 1 < len(data) and data[start] == 0xFF and data[start + 1] in _MARKERS:
        return start, 0
    restarts, step, last = 0, 1 << 12, len(pixels) - 1
    while start < last:
        end = min(start + step, last)
        # Stuffed zeros are dropped first: what remains is rare, and cheap to check.
        marked = pixels[start:end] == 0xFF
        marked &= pixels[start + 1 : end + 1] != 0
        # argmax stops at the first one: most blocks have none, and listing all takes ten times as long.
        first = int(marked.argmax())
        if marked[first]:
            places = np.flatnonzero(marked[first:]) + first
            codes = pixels[places + (start + 1)]
            ends = np.flatnonzero(_ENDS_SCAN[codes])
            if ends.size:
                codes = codes[: ends[0]]
            restarts += int(np.count_nonzero((codes & 0xF8) == 0xD0))
            if ends.size:
                return start + int(places[ends[0]]), restarts
        start, step = end, _BLOCK_SEARCHED
    raise truncated("JPEG", "it ends before its end-of-image marker")


def _segment(data: memoryview, position: int, marker: int) -> memoryview:
    (length,) = struct.unpack_from(">H", data, position)
    left = len(data) - position
    if length < 2:
        raise damaged("JPEG", f"segment {marker:#04x} declares {length} bytes")
    if length > left:
        raise truncated("JPEG", f"segment {marker:#04x} declares {length} bytes, and {left} are left")
    return data[position + 2 : position + length]


def _frame(marker: int, body: memoryview, limits: ImageLimits) -> _Frame:
    if marker not in (*_SEQUENTIAL, _PROGRESSIVE):
        raise refused(_REFUSED_FRAMES.get(marker, "a hierarchical JPEG"), "a baseline or progressive JPEG")
    precision, height, width, count = struct.unpack_from(">BHHB", body)
    if precision != 8:
        raise refused(f"a JPEG with {precision} bits per sample", "one with 8 bits")
    check_not_empty("JPEG", width, height)
    limits.check_size(width, height)
    if count not in (1, 3, 4) or len(body) != 6 + 3 * count:
        raise damaged("JPEG", f"its frame header declares {count} components in {len(body)} bytes")
    components = {body[i]: (body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, 6 + 3 * count, 3)}
    if len(components) != count or any(not (1 <= h <= 4 and 1 <= v <= 4) for h, v in components.values()):
        raise damaged("JPEG", "its frame header has invalid components")
    return _Frame(width, height, marker == _PROGRESSIVE, components)


def _check_scan(frame: _Frame, body: memoryview, size: int, restarts: int, interval: int) -> None:
    """Raises InvalidImage if a scan of `size` bytes can't hold its blocks: the shortest Huffman code has one bit."""
    count = body[0]
    chosen = [body[1 + 2 * i] for i in range(count)]
    first = body[1 + 2 * count]
    if not chosen or not set(chosen) <= set(frame.components):
        raise damaged("JPEG", "a scan names a component that the frame header lacks")
    frame.scans += 1
    if not frame.progressive and frame.scans > len(frame.components):
        raise damaged("JPEG", "it has more scans than components")
    if first == 0:
        frame.seen.update(chosen)
    mcus, blocks = frame.blocks(chosen)
    frame.visits += blocks
    if frame.visits > _MAX_VISITS:
        raise refused(f"a JPEG of this size with {frame.scans:,} scans", "one with fewer scans")
    bits = blocks * (0 if first else 1 if frame.progressive else 2)
    if 8 * size < bits:
        raise truncated("JPEG", f"a scan of {size:,} bytes can't hold {blocks:,} blocks")
    expected = (mcus - 1) // interval if interval else 0
    if restarts < expected:
        raise truncated("JPEG", f"a scan has {restarts:,} restart markers of {expected:,}")


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)
