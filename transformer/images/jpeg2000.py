"""JPEG 2000: checks its boxes, the size marker, and all tile-parts of the codestream (ITU-T T.800, annexes A and I)."""

from __future__ import annotations

import struct

from transformer.images import jpeg2000_coding
from transformer.images.boxes import Box, boxes, one
from transformer.images.limits import ImageLimits
from transformer.images.source import Source, check_not_empty, damaged, peak_memory, refused, truncated

_NAME = "JPEG 2000"
_SIZ, _SOT, _SOD, _EOC = 0xFF51, 0xFF90, 0xFF93, 0xFFD9
_MAX_SEGMENTS = 1_000  # of the main header
_MAX_TILE_SEGMENTS = 100_000  # of the headers of all tiles
_MAX_TILES = 4_096  # the largest picture has 64 tiles of 1,024 x 1,024 pixels
_MAX_PARTS = 65_536
_COLOURS = (16, 17)  # sRGB and grey
_TILE_BYTES = 4_000  # of the codec's records for each component of a tile, without any pixels


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    stream, size, columns = data, None, 0
    if bytes(data[:4]) != b"\xff\x4f\xff\x51":
        found = boxes(data, 0, len(data), _NAME)
        header = one(found, b"jp2h", _NAME)
        inside = boxes(data, header.start, header.end, _NAME)
        height, width = struct.unpack_from(">II", data, one(inside, b"ihdr", _NAME).start)
        _check_colours(data, inside)
        columns = _palette_columns(data, inside)
        limits.check_size(width, height)
        size = width, height
        pixels = one(found, b"jp2c", _NAME)
        stream = data[pixels.start : pixels.end]
    marker, length, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = (
        struct.unpack_from(">HHHIIIIIIIIH", stream, 2)
    )
    if marker != _SIZ or length != 38 + 3 * components:
        raise damaged(_NAME, "its codestream doesn't begin with its size")
    width, height = right - left, bottom - top
    check_not_empty(_NAME, width, height)
    limits.check_size(width, height)
    if size not in (None, (width, height)):
        raise damaged(_NAME, "its header and its codestream differ in size")
    if components not in (1, 3, 4):
        raise refused(f"a JPEG 2000 image with {components} components", "one in grey, RGB, or RGB with alpha")
    depths = {stream[42 + 3 * i] + 1 for i in range(components)}  # 129 and above stand for signed samples
    bits = max(depths)
    if len(depths) > 1:
        raise refused("a JPEG 2000 image whose components differ in depth", "one whose samples all have 8 bits")
    if bits not in ((8, 16) if components == 4 else range(8, 17)):
        accepted = "8 or 16" if components == 4 else "8 to 16"
        raise refused(f"a JPEG 2000 image with samples of {bits & 0x7F} bits", f"one with {accepted} bits, unsigned")
    if tile_width < 1 or tile_height < 1 or tile_left > left or tile_top > top:
        raise damaged(_NAME, "its tiles have no pixels")
    if columns and (components != 1 or bits != 8):
        raise refused("a JPEG 2000 image with a palette and several components", "one in grey or RGB")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > _MAX_TILES:
        raise refused(f"a JPEG 2000 image with {tiles:,} tiles", f"one with at most {_MAX_TILES:,}")
    segments = _check_tiles(stream, 4 + length, tiles)
    # The codec holds four bytes per sample: of the picture, of one tile if there are several, and of a palette's result.
    sides = min(tile_width, width), min(tile_height, height)
    tile = sides[0] * sides[1] if tiles > 1 else 0
    working = 4 * components * (width * height + tile) + components * tiles * _TILE_BYTES
    coded = list(jpeg2000_coding.codings(stream, segments))
    working += jpeg2000_coding.decoder_bytes(coded, *sides, components, tiles, len(stream))
    working += 4 * columns * width * height
    components = columns or components
    held = bits // 2 if components == 4 else 3
    memory = peak_memory(width * height, held, 1, len(data) + working)
    return Source(_NAME, data, width, height, memory, alpha="straight" if components == 4 else "none")


def _check_colours(data: memoryview, header: list[Box]) -> None:
    for box in header:
        if box.name == b"colr" and bytes(data[box.start : box.start + 1]) == b"\1":
            (space,) = struct.unpack_from(">I", data, box.start + 3)
            if space not in _COLOURS:
                raise refused(f"a JPEG 2000 image in colour space {space}", "one in grey or RGB")


def _palette_columns(data: memoryview, header: list[Box]) -> int:
    """How many samples a palette makes of one; the decoder holds four bytes per pixel for each. 0 without a palette."""
    palettes = [box for box in header if box.name == b"pclr"]
    if not palettes:
        return 0
    box = one(palettes, b"pclr", _NAME)
    count = data[box.start + 2]
    depths = set(bytes(data[box.start + 3 : box.start + 3 + count]))
    if count not in (1, 3, 4) or depths != {7}:
        raise refused(f"a JPEG 2000 image with a palette of {count} components", "one in grey or RGB")
    return count


def _segments(stream: memoryview, position: int, end: int, most: int) -> tuple[list[tuple[int, int]], int]:
    """The segments of a header up to the marker `end`, each as (marker, position of its length), and the position of `end`."""
    found: list[tuple[int, int]] = []
    while True:
        (marker,) = struct.unpack_from(">H", stream, position)
        if marker == end:
            return found, position
        (length,) = struct.unpack_from(">H", stream, position + 2)
        if marker < 0xFF00 or length < 2:
            raise damaged(_NAME, "its header has a segment without a marker")
        if len(found) == most:
            raise damaged(_NAME, f"its headers have more than {most:,} segments")
        found.append((marker, position + 2))
        position += 2 + length


def _check_tiles(stream: memoryview, position: int, tiles: int) -> list[tuple[int, int]]:
    """Checks that every tile has a part, and that the parts fill the stream up to its end marker.

    Returns the segments of all headers.
    """
    segments, position = _segments(stream, position, _SOT, _MAX_SEGMENTS)
    seen: set[int] = set()
    for _ in range(_MAX_PARTS):
        (marker,) = struct.unpack_from(">H", stream, position)
        if marker == _EOC:
            break
        if marker != _SOT:
            raise damaged(_NAME, "its tiles don't follow each other")
        tile, size, following = struct.unpack_from(">HI2xH", stream, position + 4)
        if size == 0:  # the last part reaches to the end marker
            size = len(stream) - 2 - position
        left = len(stream) - position
        if size > left:
            raise truncated(_NAME, f"a tile declares {size:,} bytes, and {left:,} are left")
        if size < 14 or tile >= tiles:
            raise damaged(_NAME, f"tile {tile} has {size} bytes")
        seen.add(tile)
        if following != _SOD:
            inside, _ = _segments(stream[: position + size], position + 12, _SOD, _MAX_TILE_SEGMENTS - len(segments))
            segments += inside
        position += size
    else:
        raise damaged(_NAME, f"it has more than {_MAX_PARTS:,} parts of tiles")
    if len(seen) != tiles:
        raise truncated(_NAME, f"it has {len(seen):,} of {tiles:,} tiles")
    return segments
