"""HEIC and AVIF: checks the items of a file and the sizes that they declare (ISO/IEC 23008-12; AV1 Image File Format).

A decoder follows an item to its tiles, its alpha and its metadata. So the size of every coded picture is checked, and the
decoder finds neither metadata, nor an image sequence, nor derived items of a kind that isn't checked here.
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass, field

from transformer.images.boxes import Box, Cursor, boxes, one
from transformer.images.brand import brand
from transformer.images.coded_size import CodedSize, av1_units, hevc_configuration, hevc_units
from transformer.images.limits import ImageLimits
from transformer.images.source import MAX_BLOCKS, Source, check_not_empty, damaged, pillow_memory, refused, truncated

_HEVC, _AV1, _GRID = b"hvc1", b"av01", b"grid"
_MAX_ITEMS = 2_000  # 64 million pixels are 977 tiles of 256 x 256
_SMALL_TILES = 4_000_000  # pixels; the tiles of a small picture may be mostly outside of it
#: By how many pixels a coded side may exceed the declared one: a block. Else each small tile might take millions to decode.
_BEYOND = 64
#: The properties of an item that a decoder finds: size, codec, colours, alpha, rotation and cropping.
_PROPERTIES = frozenset(b"ispe hvcC av1C pixi colr auxC irot imir clap pasp a1op lsel a1lx".split())


@dataclass
class _Item:
    """An item: where its kind is written, where its content is, its properties, and the items it is made of."""

    kind: bytes
    kind_at: int
    extents: list[tuple[int, int]] = field(default_factory=list)
    properties: list[Box] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)


def read(data: memoryview, limits: ImageLimits) -> Source:
    """Raises InvalidImage or ImageTooLarge; see docs/images.md."""
    name = brand(data) or "HEIC"
    if name == "HEIC" and importlib.util.find_spec("pi_heif") is None:
        raise refused("an HEIC image", "a JPEG or PNG (this server lacks pi-heif; the extra `heic` installs it)")
    return _File(data, limits, name).source()


class _File:
    def __init__(self, data: memoryview, limits: ImageLimits, name: str) -> None:
        self.data, self.limits, self.name = data, limits, name
        self.top = boxes(data, 0, len(data), name)
        meta = one(self.top, b"meta", name)
        self.meta = boxes(data, meta.start + 4, meta.end, name)
        self.items = self._items()
        self._locate()
        self._give_properties()
        self._relate()

    def source(self) -> Source:
        box = one(self.meta, b"pitm", self.name)
        (number,) = struct.unpack_from(">I" if self.data[box.start] else ">H", self.data, box.start + 4)
        primary = self.items.get(number)
        if primary is None:
            raise damaged(self.name, "its primary item doesn't exist")
        coded_kind = _AV1 if self.name == "AVIF" else _HEVC
        if primary.kind not in (coded_kind, _GRID):
            raise refused(f"an {self.name} image of kind {primary.kind.decode('latin-1')!r}", "a JPEG or PNG")
        width, height = self._declared(primary)
        coded = [size for item in self.items.values() if item.kind == coded_kind for size in self._coded(item)]
        for grid in (item for item in self.items.values() if item.kind == _GRID):
            self._check_grid(grid, coded_kind)
        if not coded:
            raise truncated(self.name, "it has no coded picture")
        area = width * height
        of_grid = area * max(c.bytes / c.area for c in coded) if primary.kind == _GRID else 0.0
        planes = of_grid + max(c.bytes for c in coded)
        file = self._without(coded_kind)
        if self.name == "AVIF":  # the decoder keeps its RGB beside Pillow's picture; alpha may take two bytes
            memory = pillow_memory(area, 4, 1, len(file) + 4 * area, int(planes) + 2 * area)
        else:
            memory = pillow_memory(area, 4, 1, len(file), int(planes) + 5 * area)
        return Source(self.name, file, width, height, memory)

    def _items(self) -> dict[int, _Item]:
        """The items of the iinf box, by number."""
        box = one(self.meta, b"iinf", self.name)
        start = box.start + (8 if self.data[box.start] else 6)
        items: dict[int, _Item] = {}
        for entry in boxes(self.data, start, box.end, self.name):
            version = self.data[entry.start]
            if entry.name != b"infe" or version not in (2, 3):
                raise damaged(self.name, "its items have no kinds")
            (number,) = struct.unpack_from(">I" if version == 3 else ">H", self.data, entry.start + 4)
            kind_at = entry.start + (10 if version == 3 else 8)
            if number in items or len(items) == _MAX_ITEMS:
                raise damaged(self.name, f"it has an item twice, or more than {_MAX_ITEMS:,} items")
            items[number] = _Item(bytes(self.data[kind_at : kind_at + 4]), kind_at)
        return items

    def _locate(self) -> None:
        """Reads the iloc box: where the content of the items is."""
        box = one(self.meta, b"iloc", self.name)
        version = self.data[box.start]
        offset_size, length_size = self.data[box.start + 4] >> 4, self.data[box.start + 4] & 15
        base_size, index_size = self.data[box.start + 5] >> 4, self.data[box.start + 5] & 15 if version else 0
        if version > 2 or not {offset_size, length_size, base_size, index_size} <= {0, 4, 8}:
            raise damaged(self.name, "its items have offsets of an unknown kind")
        cursor = Cursor(self.data[: box.end], box.start + 6)
        total = 0
        for _ in range(cursor.read(4 if version == 2 else 2)):
            number = cursor.read(4 if version == 2 else 2)
            method = cursor.read(2) & 15 if version else 0
            cursor.read(2)
            base = cursor.read(base_size)
            inside = one(self.meta, b"idat", self.name) if method == 1 else None
            origin, end = (inside.start, inside.end) if inside else (0, len(self.data))
            for _ in range(cursor.read(2)):
                cursor.read(index_size)
                start = origin + base + cursor.read(offset_size)
                length = cursor.read(length_size) or end - start
                total += length
                if method > 1 or length < 0 or start + length > end:
                    raise truncated(self.name, f"an item reaches to byte {start + length:,} of {end:,}")
                if total > len(self.data):
                    raise damaged(self.name, "its items overlap")
                if number in self.items:
                    self.items[number].extents.append((start, start + length))

    def _give_properties(self) -> None:
        """Reads the iprp box: which sizes and codec headers belong to which item."""
        iprp = one(self.meta, b"iprp", self.name)
        inside = boxes(self.data, iprp.start, iprp.end, self.name)
        ipco = one(inside, b"ipco", self.name)
        known = boxes(self.data, ipco.start, ipco.end, self.name)
        left = MAX_BLOCKS
        for box in inside:
            if box.name != b"ipma":
                continue
            version, wide = self.data[box.start], self.data[box.start + 3] & 1
            cursor = Cursor(self.data[: box.end], box.start + 4)
            for _ in range(cursor.read(4)):
                item = self.items.get(cursor.read(4 if version else 2))
                for _ in range(cursor.read(1)):
                    index = cursor.read(2 if wide else 1) & (0x7FFF if wide else 0x7F)
                    left -= 1
                    if index > len(known) or left < 0:
                        raise damaged(self.name, "an item has a property that doesn't exist, or too many")
                    if item is not None and index:
                        item.properties.append(known[index - 1])

    def _relate(self) -> None:
        """Reads the iref box: which items a grid is made of."""
        for box in self.meta:
            if box.name != b"iref":
                continue
            size = 4 if self.data[box.start] else 2
            for reference in boxes(self.data, box.start + 4, box.end, self.name):
                cursor = Cursor(self.data[: reference.end], reference.start)
                item = self.items.get(cursor.read(size))
                parts = [cursor.read(size) for _ in range(cursor.read(2))]
                if item is not None and reference.name == b"dimg":
                    item.parts += parts

    def _declared(self, item: _Item) -> tuple[int, int]:
        """The size of an item by its ispe property."""
        box = one(item.properties, b"ispe", self.name)
        width, height = struct.unpack_from(">II", self.data, box.start + 4)
        check_not_empty(self.name, width, height)
        self.limits.check_size(width, height)
        self._check_crop(item, width, height)
        return width, height

    def _check_crop(self, item: _Item, width: int, height: int) -> None:
        """Raises InvalidImage unless a clap property crops to a part of the picture: a decoder allocates whatever it says."""
        for box in item.properties:
            if box.name != b"clap":
                continue
            numbers = struct.unpack_from(">IIIIiIiI", self.data, box.start)
            for side, (over, under) in zip((width, height), (numbers[0:2], numbers[2:4]), strict=True):
                if not 0 < under <= over <= under * side:
                    raise damaged(self.name, f"it is cropped to {over:,} over {under:,} of {side:,} pixels")
            for side, (over, under) in zip((width, height), (numbers[4:6], numbers[6:8]), strict=True):
                if under == 0 or abs(over) > under * side:
                    raise damaged(
                        self.name, f"it is cropped {over:,} over {under:,} from the middle of {side:,} pixels"
                    )

    def _coded(self, item: _Item) -> list[CodedSize]:
        """The sizes that the bits of an item declare, checked, and that of its ispe property."""
        content = self._content(item)
        found = list(av1_units(content) if item.kind == _AV1 else hevc_units(content))
        if item.kind == _HEVC:
            headers = one(item.properties, b"hvcC", self.name)
            found += hevc_configuration(self.data[headers.start : headers.end])
        if not found:
            raise truncated(self.name, "a picture has no header")
        width, height = self._declared(item)
        for coded in found:
            check_not_empty(self.name, coded.width, coded.height)
            self.limits.check_size(coded.width, coded.height)
            if coded.width > width + _BEYOND or coded.height > height + _BEYOND:
                raise damaged(self.name, f"{coded.width} x {coded.height} pixels are coded for {width} x {height}")
        return found

    def _check_grid(self, item: _Item, coded_kind: bytes) -> None:
        """Checks that a grid's tiles exist, and are about as large together as the grid (ISO/IEC 23008-12, 6.6.2.3)."""
        content = self._content(item)
        version, wide, rows, columns = struct.unpack_from(">BBBB", content)
        size = struct.unpack_from(">II" if wide & 1 else ">HH", content, 4)
        tiles = [self.items.get(number) for number in item.parts]
        if version or size != self._declared(item) or len(tiles) != (rows + 1) * (columns + 1):
            raise damaged(self.name, "its grid has the wrong size or number of tiles")
        area = 0
        for tile in tiles:
            if tile is None or tile.kind != coded_kind:
                raise damaged(self.name, "its grid lacks a tile")
            width, height = self._declared(tile)
            area += width * height
        if area > 2 * size[0] * size[1] + _SMALL_TILES:
            raise damaged(self.name, f"the tiles of its grid have {area:,} pixels")

    def _content(self, item: _Item) -> memoryview:
        parts = [self.data[start:end] for start, end in item.extents]
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))

    def _without(self, coded_kind: bytes) -> bytes:
        """The file with image sequences, metadata and items of other kinds hidden by changing their names in place."""
        file = bytearray(self.data)
        for item in self.items.values():
            if item.kind not in (coded_kind, _GRID):
                file[item.kind_at : item.kind_at + 4] = b"skip"
        for box in {box for item in self.items.values() for box in item.properties}:
            if box.name not in _PROPERTIES:
                file[box.at + 4 : box.at + 8] = b"skip"
        for box in self.top:
            if box.name == b"moov":
                file[box.at + 4 : box.at + 8] = b"free"
            elif box.name == b"ftyp":
                for at in (box.start, *range(box.start + 8, box.end, 4)):
                    if file[at : at + 4] == b"avis":
                        file[at : at + 4] = b"avif"
        return bytes(file)
