"""BMP: checks the header (12 to 124 bytes), the colour table and the rows, uncompressed or run-length encoded."""

from __future__ import annotations

import struct

from transformer.images.limits import ImageLimits
from transformer.images.source import Alpha, Source, check_not_empty, damaged, peak_memory, refused, truncated

_CORE, _INFO = 12, 40
_HEADERS = (_CORE, _INFO, 52, 56, 108, 124)
_PLAIN, _BITFIELDS, _ALPHA_BITFIELDS = 0, 3, 6
_RUN_LENGTHS = {1: 8, 2: 4}  # RLE8 and RLE4, with their bits per pixel
_MASKS = {
    16: ((0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)),
    32: ((0xFF0000, 0xFF00, 0xFF),),
}


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    if len(data) < 26:
        raise truncated("BMP", f"it has {len(data)} bytes")
    start, header = struct.unpack_from("<II", data, 10)
    if header not in _HEADERS:
        raise damaged("BMP", f"its header declares a length of {header:,} bytes, which no version has")
    if len(data) < 14 + header:
        raise truncated("BMP", "it ends in its header")
    compression = colours = 0
    if header == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        (colours,) = struct.unpack_from("<I", data, 46)
    upside_down, height = height < 0, abs(height)
    check_not_empty("BMP", width, height)
    limits.check_size(width, height)
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise damaged("BMP", f"its header declares {planes} planes of {bits} bits")
    _check_compression(compression, bits, upside_down)
    alpha: Alpha = "none"
    used = 14 + header
    if compression in (_BITFIELDS, _ALPHA_BITFIELDS):
        alpha, used = _masks(data, header, bits, compression)
    if bits <= 8:
        colours = colours or 1 << bits
        if colours > 1 << bits:
            raise damaged("BMP", f"{colours:,} colours don't fit into {bits} bits")
        used += colours * (3 if header == _CORE else 4)
    size = (width * bits + 31) // 32 * 4 * height
    if compression in _RUN_LENGTHS:  # these must declare their size; OpenCV refuses data that ends too early
        (size,) = struct.unpack_from("<I", data, 34)
    if start < used:
        raise damaged("BMP", "its pixels begin inside its header")
    if start + max(size, 1) > len(data):
        raise truncated("BMP", f"its pixels take {size:,} bytes, and {max(len(data) - start, 0):,} are left")
    memory = peak_memory(width * height, 3 if alpha == "none" else 4, 1)
    return Source("BMP", data, width, height, memory, 1, alpha)


def _check_compression(compression: int, bits: int, upside_down: bool) -> None:
    if compression not in (_PLAIN, *_RUN_LENGTHS, _BITFIELDS, _ALPHA_BITFIELDS):
        raise refused(f"a BMP with compression {compression}", "an uncompressed BMP, or a PNG")
    if compression in _RUN_LENGTHS and (bits != _RUN_LENGTHS[compression] or upside_down):
        order = "top down" if upside_down else "bottom up"
        raise damaged("BMP", f"run-length compression {compression} doesn't allow {bits} bits per pixel, {order}")


def _masks(data: memoryview, header: int, bits: int, compression: int) -> tuple[Alpha, int]:
    """How alpha is mixed, and where the colour masks end: they follow an old header, and are part of a newer one."""
    end = max(14 + header, 54 + (16 if compression == _ALPHA_BITFIELDS else 12))
    if len(data) < end:
        raise truncated("BMP", "it ends in its colour masks")
    red, green, blue = struct.unpack_from("<III", data, 54)
    alpha = struct.unpack_from("<I", data, 66)[0] if end >= 70 else 0
    if (red, green, blue) not in _MASKS.get(bits, ()) or alpha not in (0, 0xFF000000 if bits == 32 else 0):
        raise refused("a BMP with unusual colour masks", "a 24-bit BMP, or a PNG")
    return "unless_all_zero" if alpha else "none", end
