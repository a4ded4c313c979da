"""The size that a coded picture itself declares, in HEVC (ITU-T H.265, 7.3.2.2) and AV1 (AV1 specification, 5.5).

A decoder allocates memory for this size, whatever size the boxes around the picture declare.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from transformer.images.source import MAX_BLOCKS, damaged, truncated

_SPS = 33
_SEQUENCE_HEADER = 1
_HEAD_BYTES = 160  # of a header that are read; the fields up to the size take no more
#: Samples per pixel, by chroma format 0 to 3: grey, 4:2:0, 4:2:2, 4:4:4.
_SAMPLES = (1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class CodedSize:
    """`width` and `height` in pixels, and the `bytes` that a decoder holds for the picture."""

    width: int
    height: int
    bytes: int

    @property
    def area(self) -> int:
        return self.width * self.height


class _Bits:
    """Reads bits, the most significant first. Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError
        return self._number >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """ue(v) of H.265, 9.2; uvlc() of AV1, 4.10.3."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros == 32:
                raise IndexError
        return (1 << zeros) - 1 + self.read(zeros)


def hevc_units(data: memoryview) -> Iterator[CodedSize]:
    """The sizes in a picture's NAL units, each of which has its length in front."""
    position = 0
    for _ in range(MAX_BLOCKS):
        if position >= len(data):
            return
        (size,) = struct.unpack_from(">I", data, position)
        unit = data[position + 4 : position + 4 + size]
        if len(unit) < size:
            raise truncated("HEIC", f"a unit of its picture declares {size:,} bytes, and {len(unit):,} are left")
        if size > 2 and unit[0] >> 1 & 0x3F == _SPS:
            yield _hevc(unit)
        position += 4 + size
    raise damaged("HEIC", f"its picture has more than {MAX_BLOCKS:,} units")


def hevc_configuration(data: memoryview) -> Iterator[CodedSize]:
    """The sizes in the content of an hvcC box (ISO/IEC 14496-15, 8.3.3.1)."""
    position = 23
    for _ in range(data[22]):
        (count,) = struct.unpack_from(">H", data, position + 1)
        position += 3
        for _ in range(min(count, MAX_BLOCKS)):
            (size,) = struct.unpack_from(">H", data, position)
            unit = data[position + 2 : position + 2 + size]
            if size > 2 and unit[0] >> 1 & 0x3F == _SPS:
                yield _hevc(unit)
            position += 2 + size


def _hevc(unit: memoryview) -> CodedSize:
    bits = _Bits(bytes(unit[2:_HEAD_BYTES]).replace(b"\0\0\3", b"\0\0"))
    bits.read(4)
    layers = bits.read(3)
    bits.read(1)
    bits.read(96)
    present = [(bits.read(1), bits.read(1)) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)
    bits.golomb()
    chroma = bits.golomb()
    if chroma > 3:
        raise IndexError
    if chroma == 3:
        bits.read(1)
    width, height = bits.golomb(), bits.golomb()
    if bits.read(1):
        for _ in range(4):
            bits.golomb()
    deep = bits.golomb() > 0 or bits.golomb() > 0
    return CodedSize(width, height, round(width * height * _SAMPLES[chroma] * (2 if deep else 1)))


def av1_units(data: memoryview) -> Iterator[CodedSize]:
    """The sizes in a picture's OBUs."""
    position = 0
    for _ in range(MAX_BLOCKS):
        if position >= len(data):
            return
        head = data[position]
        position += 2 if head & 4 else 1
        size = len(data) - position
        if head & 2:
            size, position = _leb128(data, position)
        if size > len(data) - position:
            raise truncated("AVIF", f"a unit of its picture declares {size:,} bytes")
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _av1(data[position : position + size])
        position += size
    raise damaged("AVIF", f"its picture has more than {MAX_BLOCKS:,} units")


def _leb128(data: memoryview, position: int) -> tuple[int, int]:
    number = 0
    for i in range(8):
        byte = data[position + i]
        number |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return number, position + i + 1
    raise damaged("AVIF", "the size of a unit of its picture has more than 8 bytes")


def _av1(unit: memoryview) -> CodedSize:
    bits = _Bits(bytes(unit[:_HEAD_BYTES]))
    profile, _, reduced = bits.read(3), bits.read(1), bits.read(1)
    if reduced:
        bits.read(5)
    else:
        _av1_operating_points(bits)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(wide) + 1, bits.read(high) + 1
    # With a full header, a frame may declare another size of as many bits. Profile 0 is 4:2:0 with up to 10 bits.
    area = width * height if reduced else 1 << wide + high
    return CodedSize(width, height, area * (3 if profile == 0 else 6))


def _av1_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.read(1):  # timing_info
        bits.read(64)
        if bits.read(1):
            bits.golomb()
        if bits.read(1):  # decoder_model_info
            delay_bits = bits.read(5) + 1
            bits.read(42)
    display_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if delay_bits and bits.read(1):
            bits.read(2 * delay_bits + 1)
        if display_delay and bits.read(1):
            bits.read(4)
