"""TIFF directories: reads the first one, and writes a clean one (TIFF 6.0, section 2; BigTIFF has offsets of 8 bytes)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from transformer.images.source import damaged, truncated

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SHORT, _LONG = 3, 4
_NEW_SUBFILE_TYPE, _SMALLER, _MASK = 254, 1, 4
_MAX_ENTRIES = 512
_MAX_VALUES = 262_144  # of one entry: a strip for every row of the longest side, in four planes


@dataclass(frozen=True)
class Entry:
    """`count` values of TIFF type `kind`, as bytes in the file's order."""

    kind: int
    count: int
    content: bytes | memoryview


@dataclass(frozen=True)
class Directory:
    """The entries by tag. `order` is the file's byte order in struct's notation, `file_bytes` the size of the file.

    `further`: whether another directory follows that holds a page, and not a smaller copy or a mask of this one.
    """

    order: str
    entries: dict[int, Entry]
    file_bytes: int
    further: bool = False

    def numbers(self, tag: int, default: list[int]) -> list[int]:
        """The values of an entry of whole numbers, or `default` if it is absent. Raises InvalidImage for other entries."""
        entry = self.entries.get(tag)
        if entry is None:
            return default
        if entry.kind not in _INTEGERS or entry.count < 1:
            raise damaged("TIFF", f"tag {tag} isn't a whole number")
        if entry.count > _MAX_VALUES:
            raise damaged("TIFF", f"tag {tag} has {entry.count:,} values")
        return list(struct.unpack(f"{self.order}{entry.count}{_INTEGERS[entry.kind]}", entry.content))

    def number(self, tag: int, default: int | None = None) -> int:
        """The first value of an entry, or `default`; without a default the entry must be there."""
        if tag not in self.entries and default is None:
            raise damaged("TIFF", f"tag {tag} is missing")
        return self.numbers(tag, [default or 0])[0]


@dataclass(frozen=True)
class _Fields:
    """How a directory lies in the file: `start` of the first, and struct formats without the byte order."""

    start: str
    start_at: int
    count: str
    entry: str
    value: str


_CLASSIC = _Fields("I", 4, "H", "HHI", "I")
_BIG = _Fields("Q", 8, "Q", "HHQ", "Q")


def first_directory(data: memoryview) -> Directory:
    """Reads the first directory, and whether the next one holds a page. Entries of unknown types are left out.

    Raises InvalidImage.
    """
    order = "<" if bytes(data[:2]) == b"II" else ">"
    (version,) = struct.unpack_from(order + "H", data, 2)
    fields = _BIG if version == 43 else _CLASSIC
    if fields is _BIG and struct.unpack_from(order + "HH", data, 4) != (8, 0):
        raise damaged("TIFF", "its BigTIFF header doesn't declare offsets of 8 bytes")
    (start,) = struct.unpack_from(order + fields.start, data, fields.start_at)
    counted = struct.calcsize(order + fields.count)
    if start < 8 or start + counted > len(data):
        raise truncated("TIFF", f"its directory is at byte {start:,} of {len(data):,}")
    (count,) = struct.unpack_from(order + fields.count, data, start)
    if not 1 <= count <= _MAX_ENTRIES:
        raise damaged("TIFF", f"its directory has {count:,} entries")
    head, inline = struct.calcsize(order + fields.entry), struct.calcsize(order + fields.value)
    first, step = start + counted, head + inline
    if first + step * count + inline > len(data):
        raise truncated("TIFF", "it ends inside its directory")
    entries: dict[int, Entry] = {}
    for place in range(first, first + step * count, step):
        tag, kind, values = struct.unpack_from(order + fields.entry, data, place)
        size = _SIZES.get(kind, 0) * values
        if size == 0 or tag in entries:
            continue
        at = place + head if size <= inline else struct.unpack_from(order + fields.value, data, place + head)[0]
        if at + size > len(data):
            raise truncated("TIFF", f"the values of tag {tag} reach to byte {at + size:,} of {len(data):,}")
        entries[tag] = Entry(kind, values, data[at : at + size])
    (following,) = struct.unpack_from(order + fields.value, data, first + step * count)
    return Directory(order, entries, len(data), following != start and _is_page(data, order, fields, following))


def _is_page(data: memoryview, order: str, fields: _Fields, start: int) -> bool:
    """Whether the directory at `start` holds a page. One that is missing or damaged doesn't."""
    counted = struct.calcsize(order + fields.count)
    if start < 8 or start + counted > len(data):
        return False
    (count,) = struct.unpack_from(order + fields.count, data, start)
    head, step = start + counted, struct.calcsize(order + fields.entry) + struct.calcsize(order + fields.value)
    if not 1 <= count <= _MAX_ENTRIES or head + step * count > len(data):
        return False
    for place in range(head, head + step * count, step):
        tag, kind, _ = struct.unpack_from(order + fields.entry, data, place)
        if tag == _NEW_SUBFILE_TYPE and kind == _LONG:
            (value,) = struct.unpack_from(order + "I", data, place + struct.calcsize(order + fields.entry))
            return not value & (_SMALLER | _MASK)
    return True


def write_directory(data: memoryview, order: str, kept: dict[int, Entry], numbers: dict[int, list[int]]) -> bytes:
    """The file with one new directory at its end, which has the entries `kept` and `numbers`. Never a BigTIFF."""
    entries = dict(kept)
    for tag, values in numbers.items():
        kind = _SHORT if max(values) < 1 << 16 else _LONG
        entries[tag] = Entry(kind, len(values), struct.pack(f"{order}{len(values)}{_INTEGERS[kind]}", *values))
    start = len(data) + len(data) % 2
    after = start + 2 + 12 * len(entries) + 4
    table = [struct.pack(order + "H", len(entries))]
    content: list[bytes | memoryview] = []
    for tag, entry in sorted(entries.items()):
        table.append(struct.pack(order + "HHI", tag, entry.kind, entry.count))
        if len(entry.content) <= 4:
            table.append(bytes(entry.content).ljust(4, b"\0"))
        else:
            table.append(struct.pack(order + "I", after))
            content += [entry.content, b"\0" * (len(entry.content) % 2)]
            after += len(entry.content) + len(entry.content) % 2
    table.append(b"\0\0\0\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return b"".join((head, data[8:], b"\0" * (start - len(data)), *table, *content))
