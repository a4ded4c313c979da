"""TIFF: the first page, under a new directory that is written from checked values (TIFF 6.0).

libtiff follows whatever a directory says. So the decoder never sees the sender's directory: it gets the sender's strips
or tiles, and at the end of the file a directory that has only checked tags. Loops, further pages and private tags are gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformer.images import exif
from transformer.images.limits import ImageLimits
from transformer.images.source import Source, check_not_empty, damaged, pillow_memory, refused, truncated
from transformer.images.tiff_directory import Directory, first_directory, write_directory

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR = 273, 277, 278, 279, 284
T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOUR_MAP = 292, 293, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, YCBCR_SUBSAMPLING = 338, 339, 347, 530
#: The one tag whose content is copied as it is, if present.
_COPIED = JPEG_TABLES
#: Tags whose content is copied as whole numbers, if present.
_NUMBERS = (FILL_ORDER, T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOUR_MAP, YCBCR_SUBSAMPLING)

_NONE, _CCITT, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, (2, 3, 4), 5, 7, 8, 32946, 32773
_COMPRESSIONS = (_NONE, *_CCITT, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_WHOLE, _FLOAT = 1, 3
#: (photometric, samples, sample format) and the bits per sample that are read.
_KINDS = {
    (_WHITE_IS_ZERO, 1, _WHOLE): (1, 2, 4, 8, 16),
    (_BLACK_IS_ZERO, 1, _WHOLE): (1, 2, 4, 8, 16),
    (_WHITE_IS_ZERO, 1, _FLOAT): (32,),
    (_BLACK_IS_ZERO, 1, _FLOAT): (32,),
    (_BLACK_IS_ZERO, 2, _WHOLE): (8,),
    (_RGB, 3, _WHOLE): (8, 16),
    (_RGB, 4, _WHOLE): (8, 16),
    (_PALETTE, 1, _WHOLE): (1, 2, 4, 8),
    (_CMYK, 4, _WHOLE): (8, 16),
    (_YCBCR, 3, _WHOLE): (8,),
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
    format: int

    @property
    def has_extra(self) -> bool:
        """Whether the last sample isn't one of the colours."""
        return (self.photometric, self.samples) in ((_RGB, 4), (_BLACK_IS_ZERO, 2))

    @property
    def is_deep(self) -> bool:
        """Whether it is grey that Pillow returns in 16 bits or as floats, with white and black as they are stored."""
        return self.samples == 1 and self.bits > 8

    def row_bytes(self, width: int) -> int:
        return (width * self.bits * (self.samples // self.planes) + 7) // 8


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    directory = first_directory(data)
    layout = _layout(directory, limits)
    numbers = _described(directory, layout)
    if TILE_WIDTH in directory.entries:
        block = _tiles(directory, layout, numbers)
    else:
        block = _strips(directory, layout, numbers)
    kept = {_COPIED: directory.entries[_COPIED]} if _COPIED in directory.entries else {}
    file = write_directory(data, directory.order, kept, numbers)
    orientation = directory.number(exif.ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    held = 1 if layout.samples == 1 and layout.bits <= 8 else 2 if layout.samples == 1 and layout.bits == 16 else 4
    pixels = layout.width * layout.height
    # The upper bytes of 16-bit RGB, which are kept while the lower ones are read.
    upper = 3 * pixels if (layout.photometric, layout.samples, layout.bits) == (_RGB, 3, 16) else 0
    memory = pillow_memory(pixels, held, orientation, len(file), block + upper)
    if layout.compression == _JPEG:  # a progressive one also holds two bytes for each sample
        memory = max(memory, len(file) + 3 * block)
    negative = layout.is_deep and layout.photometric == _WHITE_IS_ZERO
    return Source(
        "TIFF", file, layout.width, layout.height, memory, orientation, negative=negative, further=directory.further
    )


def _described(directory: Directory, layout: _Layout) -> dict[int, list[int]]:
    """The directory entries that describe the samples."""
    numbers = {
        WIDTH: [layout.width],
        HEIGHT: [layout.height],
        BITS: [layout.bits] * layout.samples,
        COMPRESSION: [layout.compression],
        # Pillow doesn't invert deep grey, or only in one byte order.
        PHOTOMETRIC: [_BLACK_IS_ZERO if layout.is_deep else layout.photometric],
        SAMPLES: [layout.samples],
        PLANAR: [1 if layout.planes == 1 else 2],
        SAMPLE_FORMAT: [layout.format],
    }
    for tag in _NUMBERS:
        if tag in directory.entries:
            numbers[tag] = directory.numbers(tag, [])
    if layout.has_extra:
        # An extra sample is alpha where ExtraSamples says so, and meaningless otherwise (TIFF 6.0, page 31).
        meaning = directory.number(EXTRA_SAMPLES, 0)
        numbers[EXTRA_SAMPLES] = [meaning if meaning in (_ASSOCIATED, _STRAIGHT) else 0]
    return numbers


def _layout(directory: Directory, limits: ImageLimits) -> _Layout:
    width, height = directory.number(WIDTH), directory.number(HEIGHT)
    check_not_empty("TIFF", width, height)
    limits.check_size(width, height)
    samples, planar = directory.number(SAMPLES, 1), directory.number(PLANAR, 1)
    compression, photometric = directory.number(COMPRESSION, 1), directory.number(PHOTOMETRIC)
    if compression not in _COMPRESSIONS:
        raise refused(f"a TIFF with compression {compression}", "an uncompressed, LZW, Deflate, JPEG or fax one")
    bits = set(directory.numbers(BITS, [1]))
    formats = set(directory.numbers(SAMPLE_FORMAT, [_WHOLE]))
    if photometric == _YCBCR and compression != _JPEG:
        raise refused("a YCbCr TIFF without JPEG compression", "an RGB TIFF, or a JPEG")
    kind = _KINDS.get((photometric, samples, max(formats)), ())
    if len(bits) != 1 or len(formats) != 1 or not bits <= set(kind) or planar not in (1, 2):
        stored = "/".join(str(b) for b in sorted(bits))
        raise refused(
            f"a TIFF with photometric interpretation {photometric} and {samples} samples of {stored} bits",
            "a bilevel, grey, palette, RGB, RGBA or CMYK TIFF of 8 or 16 bits, or a PNG",
        )
    if samples > 1 and len(directory.numbers(BITS, [1])) not in (1, samples):
        raise damaged("TIFF", "its bits don't match its samples")
    if photometric == _PALETTE and len(directory.numbers(COLOUR_MAP, [])) != 3 << max(bits):
        raise damaged("TIFF", "its colour map has the wrong size")
    planes = samples if planar == 2 else 1
    return _Layout(width, height, max(bits), samples, planes, photometric, compression, max(formats))


def _strips(directory: Directory, layout: _Layout, numbers: dict[int, list[int]]) -> int:
    """Checks the strips and adds them to `numbers`; returns the bytes of one, uncompressed."""
    rows = min(directory.number(ROWS_PER_STRIP, layout.height), layout.height)
    if rows < 1:
        raise damaged("TIFF", "its strips have no rows")
    count = -(-layout.height // rows)
    row_bytes = layout.row_bytes(layout.width)
    needed = [row_bytes * min(rows, layout.height - rows * i) for i in range(count)] * layout.planes
    _blocks(directory, layout, numbers, (STRIP_OFFSETS, STRIP_BYTES), needed)
    numbers[ROWS_PER_STRIP] = [rows]
    return rows * row_bytes


def _tiles(directory: Directory, layout: _Layout, numbers: dict[int, list[int]]) -> int:
    """Checks the tiles and adds them to `numbers`; returns the bytes of one, uncompressed."""
    width, height = directory.number(TILE_WIDTH), directory.number(TILE_HEIGHT)
    for side, whole in ((width, layout.width), (height, layout.height)):
        if side < 16 or side % 16 or side > max(whole + 15, _MAX_TILE_BEYOND):
            raise damaged("TIFF", f"it has tiles of {width} x {height} pixels")
    count = -(-layout.width // width) * -(-layout.height // height) * layout.planes
    tile_bytes = layout.row_bytes(width) * height
    _blocks(directory, layout, numbers, (TILE_OFFSETS, TILE_BYTES), [tile_bytes] * count)
    numbers[TILE_WIDTH], numbers[TILE_HEIGHT] = [width], [height]
    return tile_bytes


def _blocks(
    directory: Directory, layout: _Layout, numbers: dict[int, list[int]], tags: tuple[int, int], needed: list[int]
) -> None:
    """Adds the strips or tiles to `numbers`. Raises InvalidImage if one is outside the file, uncompressed and too short, or if
    they overlap."""
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
