"""PNG: checks the chunks from IHDR to IEND. The decoder sees only the critical ones and tRNS (PNG, third edition, 5 and 11).

Text and profile chunks may inflate to any size, and animation chunks have crashed decoders, so they are dropped here. What
remains of an animated PNG is the picture for viewers without animation, usually its first frame.
"""

from __future__ import annotations

import struct

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import Source, check_not_empty, damaged, peak_memory, truncated

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_MAX_CHUNKS = 65_536  # 64 MiB in chunks of 1 KiB, smaller than any encoder writes them
_CHUNK_FRAME = 12  # length, name and checksum


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    if len(data) < 33:
        raise truncated("PNG", f"it has {len(data)} bytes")
    length, name, width, height, depth, colour = struct.unpack_from(">I4sIIBB", data, 8)
    if name != b"IHDR" or length != 13:
        raise damaged("PNG", "it doesn't begin with its header")
    check_not_empty("PNG", width, height)
    limits.check_size(width, height)
    if depth not in _DEPTHS.get(colour, ()):
        raise damaged("PNG", f"colour type {colour} with {depth} bits doesn't exist")
    heads, pixels, metadata, end = _chunks(data)
    if not any(len(chunk) > _CHUNK_FRAME for chunk in pixels):
        raise truncated("PNG", "it has no pixels (IDAT)")
    if colour == _PALETTE and len(heads) == 1:
        raise damaged("PNG", "it has no palette (PLTE)")
    transparency = metadata.get(b"tRNS") if colour in (_GREY, _RGB, _PALETTE) else None
    key = None
    if transparency is not None and colour == _GREY:
        key = _grey_key(transparency[8:-4], depth)
    elif transparency is not None:
        heads.append(transparency)
    orientation = exif.orientation(metadata[b"eXIf"][8:-4]) if b"eXIf" in metadata else 1
    alpha = colour in (_GREY_ALPHA, _RGBA) or (transparency is not None and key is None)
    sample = depth // 8 or 1
    held = 4 * sample if alpha else 3 * sample if colour == _RGB else 3
    memory = peak_memory(width * height, held, orientation)
    parts = (data[:8], *heads, *pixels, end)
    return Source(
        "PNG",
        data if sum(map(len, parts)) == len(data) else b"".join(parts),  # no copy if nothing was dropped
        width,
        height,
        memory,
        orientation,
        "straight" if alpha else "none",
        key,
        deep=depth == 16,
    )


def _grey_key(content: memoryview, depth: int) -> int:
    """The grey value that is transparent, in 8 or 16 bits as OpenCV returns samples; OpenCV itself ignores it."""
    if len(content) != 2:
        raise damaged("PNG", f"the tRNS chunk of a grey image has {len(content)} bytes")
    (key,) = struct.unpack(">H", content)
    top = (1 << depth) - 1
    key = int(key) & top
    return key if depth >= 8 else key * 255 // top


def _chunks(data: memoryview) -> tuple[list[memoryview], list[memoryview], dict[bytes, memoryview], memoryview]:
    """The whole chunks: IHDR and PLTE; IDAT; tRNS and eXIf by name; IEND. All others are dropped."""
    heads: list[memoryview] = []
    pixels: list[memoryview] = []
    metadata: dict[bytes, memoryview] = {}
    position = 8
    for _ in range(_MAX_CHUNKS):
        left = len(data) - position - _CHUNK_FRAME
        if left < 0:
            raise truncated("PNG", "it ends before its IEND chunk")
        length, name = struct.unpack_from(">I4s", data, position)
        if length > left:
            label = name.decode("ascii") if name.isalpha() else name.hex()
            raise truncated("PNG", f"its {label} chunk declares {length:,} bytes, and {left:,} are left")
        chunk = data[position : position + _CHUNK_FRAME + length]
        position += len(chunk)
        if name == b"IEND":
            return heads, pixels, metadata, chunk
        if name == b"IDAT":
            pixels.append(chunk)
        elif name in (b"IHDR", b"PLTE"):
            heads.append(chunk)
        elif name in (b"tRNS", b"eXIf"):
            metadata.setdefault(name, chunk)
        elif not name[0] & 0x20:
            raise damaged("PNG", f"it has an unknown critical chunk ({name.hex()})")
    raise damaged("PNG", f"it has more than {_MAX_CHUNKS:,} chunks")
