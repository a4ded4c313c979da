"""TIFF: the first page, under a directory that is written anew from checked values (TIFF 6.0).

libtiff follows whatever a directory says. So the decoder never sees the sender's directory: it gets the sender's strips
or tiles, and a directory of `_TAGS` alone that ends the file. Loops, further pages and private tags end here.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import Alpha, Source, check_not_empty, damaged, peak_memory, refused, truncated
from transformer.images.tiff_directory import Directory, first_directory, write_directory

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR = 273, 277, 278, 279, 284
T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOUR_MAP = 292, 293, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, YCBCR_SUBSAMPLING = 338, 339, 347, 530
#: Carried over as they are, where present. Positions, rows and sizes are written from checked numbers.
_COPIED = frozenset((BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, PLANAR, T4_OPTIONS, T6_OPTIONS, PREDICTOR))
_COPIED |= {COLOUR_MAP, EXTRA_SAMPLES, JPEG_TABLES, YCBCR_SUBSAMPLING}

_NONE, _CCITT, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, (2, 3, 4), 5, 7, 8, 32946, 32773
_COMPRESSIONS = (_NONE, *_CCITT, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
#: (photometric, samples) and the bits a sample that OpenCV decodes as a viewer would.
_KINDS = {
    (_WHITE_IS_ZERO, 1): (1, 8),
    (_BLACK_IS_ZERO, 1): (1, 8, 16),
    (_RGB, 3): (8, 16),
    (_RGB, 4): (8, 16),
    (_PALETTE, 1): (1, 4, 8),
    (_CMYK, 4): (8,),
    (_YCBCR, 3): (8,),
}
_ASSOCIATED, _STRAIGHT = 1, 2
_MAX_TILE_BEYOND = 1024  # pixels; small pictures come in tiles of up to this side


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    bits: int
    samples: int
    planes: int
    photometric: int
    compression: int


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    directory = first_directory(data)
    layout = _layout(directory, limits)
    kept = {tag: directory.entries[tag] for tag in _COPIED if tag in directory.entries}
    numbers = {WIDTH: [layout.width], HEIGHT: [layout.height]}
    if TILE_WIDTH in directory.entries:
        block_height = _tiles(directory, layout, numbers)
    else:
        block_height = _strips(directory, layout, numbers)
    file = write_directory(data, directory.order, kept, numbers)
    orientation = directory.number(exif.ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    alpha = _alpha(directory, layout)
    sample = max(layout.bits // 8, 1)
    block = layout.width * min(block_height, layout.height) * (4 + layout.samples * sample)
    held = 3 if alpha == "none" else 4 * sample
    memory = len(file) + peak_memory(layout.width * layout.height, held, orientation, block)
    return Source("TIFF", file, layout.width, layout.height, memory, orientation, alpha)


def _alpha(directory: Directory, layout: _Layout) -> Alpha:
    """A fourth sample is alpha where ExtraSamples says so, and meaningless otherwise (TIFF 6.0, page 31)."""
    extra = directory.number(EXTRA_SAMPLES, 0)
    if (layout.photometric, layout.samples) != (_RGB, 4) or extra not in (_ASSOCIATED, _STRAIGHT):
        return "none"
    # libtiff multiplies 8-bit colours by their alpha itself; 16-bit ones come as they were stored.
    return "straight" if layout.bits == 16 and extra == _STRAIGHT else "premultiplied"


def _layout(directory: Directory, limits: ImageLimits) -> _Layout:
    width, height = directory.number(WIDTH), directory.number(HEIGHT)
    check_not_empty("TIFF", width, height)
    limits.check_size(width, height)
    samples, planar = directory.number(SAMPLES, 1), directory.number(PLANAR, 1)
    compression, photometric = directory.number(COMPRESSION, 1), directory.number(PHOTOMETRIC)
    if compression not in _COMPRESSIONS:
        raise refused(f"a TIFF of compression {compression}", "an uncompressed, LZW, Deflate, JPEG or fax one")
    bits = set(directory.numbers(BITS, [1]))
    formats = set(directory.numbers(SAMPLE_FORMAT, [1]))
    kind = _KINDS.get((photometric, samples), ())
    if photometric == _YCBCR and compression != _JPEG:
        raise refused("a YCbCr TIFF without JPEG compression", "an RGB TIFF, or a JPEG")
    if len(bits) != 1 or formats != {1} or not bits <= set(kind) or planar not in (1, 2):
        stored = "/".join(str(b) for b in sorted(bits))
        raise refused(
            f"a TIFF of photometric {photometric} with {samples} samples of {stored} bits",
            "a bilevel, grey, palette, RGB, RGBA or CMYK TIFF of 8 bits, or a PNG",
        )
    if samples > 1 and len(directory.numbers(BITS, [1])) not in (1, samples):
        raise damaged("TIFF", "its bits don't match its samples")
    if photometric == _PALETTE and len(directory.numbers(COLOUR_MAP, [])) != 3 << max(bits):
        raise damaged("TIFF", "its colour map has the wrong size")
    planes = samples if planar == 2 else 1
    if planes > 1 and max(bits) > 8:
        raise refused("a 16-bit TIFF in separate planes", "one whose samples lie together")
    return _Layout(width, height, max(bits), samples, planes, photometric, compression)


def _strips(directory: Directory, layout: _Layout, numbers: dict[int, list[int]]) -> int:
    rows = min(directory.number(ROWS_PER_STRIP, layout.height), layout.height)
    if rows < 1:
        raise damaged("TIFF", "its strips have no rows")
    count = -(-layout.height // rows)
    row_bytes = (layout.width * layout.bits * (layout.samples // layout.planes) + 7) // 8
    needed = [row_bytes * min(rows, layout.height - rows * i) for i in range(count)] * layout.planes
    _blocks(directory, layout, numbers, (STRIP_OFFSETS, STRIP_BYTES), needed)
    numbers[ROWS_PER_STRIP] = [rows]
    return rows


def _tiles(directory: Directory, layout: _Layout, numbers: dict[int, list[int]]) -> int:
    width, height = directory.number(TILE_WIDTH), directory.number(TILE_HEIGHT)
    for side, whole in ((width, layout.width), (height, layout.height)):
        if side < 16 or side % 16 or side > max(whole + 15, _MAX_TILE_BEYOND):
            raise damaged("TIFF", f"tiles of {width} x {height} pixels don't suit it")
    count = -(-layout.width // width) * -(-layout.height // height) * layout.planes
    tile_bytes = (width * layout.bits * (layout.samples // layout.planes) + 7) // 8 * height
    if layout.bits == 16 and layout.samples == 1:
        # OpenCV 4.13 to 5.0 return wrong pixels for these, and fail on the next.
        raise refused("a 16-bit grey TIFF in tiles", "one in strips, or a PNG")
    if layout.compression == _NONE and tile_bytes % 1024:
        raise refused(f"an uncompressed TIFF in tiles of {tile_bytes:,} bytes", "one in strips, or a compressed one")
    _blocks(directory, layout, numbers, (TILE_OFFSETS, TILE_BYTES), [tile_bytes] * count)
    numbers[TILE_WIDTH], numbers[TILE_HEIGHT] = [width], [height]
    return height


def _blocks(
    directory: Directory, layout: _Layout, numbers: dict[int, list[int]], tags: tuple[int, int], needed: list[int]
) -> None:
    """Checks that the strips or tiles lie inside the file, apart from each other, and whole where uncompressed."""
    offsets, sizes = directory.numbers(tags[0], []), directory.numbers(tags[1], [])
    count = len(needed)
    if len(offsets) < count or len(sizes) < count:
        raise truncated("TIFF", f"its directory names {min(len(offsets), len(sizes)):,} of {count:,} blocks of pixels")
    offsets, sizes = offsets[:count], sizes[:count]
    for offset, size, least in zip(offsets, sizes, needed, strict=True):
        if offset + size > directory.file_bytes:
            raise truncated("TIFF", f"its pixels reach to byte {offset + size:,} of {directory.file_bytes:,}")
        if offset < 8 or size < 1 or (layout.compression == _NONE and size < least):
            raise damaged("TIFF", f"a block of pixels has {size:,} bytes")
    if sum(sizes) > directory.file_bytes:
        raise damaged("TIFF", "its blocks of pixels overlap")
    numbers[tags[0]], numbers[tags[1]] = offsets, sizes
