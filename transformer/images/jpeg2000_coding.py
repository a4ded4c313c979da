"""How a JPEG 2000 codestream is coded, and what a decoder keeps for that besides the samples (ITU-T T.800, A.6 and B).

A decoder makes a record of every code block, precinct and packet before it reads one of them. The sender chooses their
sizes: with blocks of 4 x 4 samples, a picture of 200 bytes may have ten million blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from transformer.images.source import damaged, refused

_COD, _COC = 0xFF52, 0xFF53
#: Bytes of OpenJPEG's records: of a code block with one segment, of a precinct in one band, of a packet.
_BLOCK, _PRECINCT, _PACKET = 600, 250, 2
#: Of all tiles together. Every packet is visited, however little it holds; 64 million pixels in tiles with 20 layers have
#: 200,000.
_MAX_PACKETS = 10_000_000
#: The block styles in which each coding pass is a segment of its own; bytes of a segment's record; segments of a block.
_SEGMENTED, _SEGMENT, _MAX_SEGMENTS = 0b101, 40, 164
#: The length of a segment takes at least three bits of the file.
_SEGMENTS_A_BYTE = 8 / 3
_MAX_LEVELS = 32
_WHOLE = 15  # the exponent of precincts if none is given


@dataclass(frozen=True)
class Coding:
    """A COD or COC segment: decomposition levels, exponents of a block's sides and, level by level, of a precinct's."""

    levels: int
    block: tuple[int, int]
    style: int
    precincts: tuple[tuple[int, int], ...]
    layers: int = 1

    def records(self, width: int, height: int) -> tuple[int, int, int]:
        """Upper bounds for one component of a tile: code blocks, precincts of all bands, and packets of a layer."""
        blocks = precincts = most = 0
        for level in range(self.levels + 1):
            shift = self.levels - level
            sides = (-(-width >> shift) or 1, -(-height >> shift) or 1)
            exponents = self.precincts[min(level, len(self.precincts) - 1)] if self.precincts else (_WHOLE, _WHOLE)
            count = _times((side >> exponent) + 2 for side, exponent in zip(sides, exponents, strict=True))
            halved, bands = (1, 3) if level else (0, 1)
            # A block is no larger than its precinct's part of the band.
            inside = [min(b, max(e - halved, 0)) for b, e in zip(self.block, exponents, strict=True)]
            blocks += bands * _times(((side >> halved) >> e) + 2 for side, e in zip(sides, inside, strict=True))
            precincts += bands * count
            most = max(most, count)
        return blocks, precincts, most * (self.levels + 1)


def codings(stream: memoryview, segments: list[tuple[int, int]]) -> Iterator[Coding]:
    """The COD and COC segments among `segments`, each (marker, position of its length). Raises InvalidImage."""
    for marker, position in segments:
        (length,) = struct.unpack_from(">H", stream, position)
        body = bytes(stream[position + 2 : position + length])
        if marker == _COD:
            (layers,) = struct.unpack_from(">H", body, 2)
            yield _coding(body[5:], body[0], layers)
        elif marker == _COC:
            yield _coding(body[2:], body[1])


def decoder_bytes(coded: list[Coding], width: int, height: int, components: int, tiles: int, file: int) -> int:
    """Bytes of a decoder's records for the costliest tile of `width` x `height` samples. `file` is the stream's size in bytes.

    Raises InvalidImage if there are too many packets.
    """
    layers = max((each.layers for each in coded), default=1)
    found = [each.records(width, height) for each in coded]
    packets = max((each[2] for each in found), default=0) * components * layers
    if packets * tiles > _MAX_PACKETS:
        raise refused(
            f"a JPEG 2000 image with {packets * tiles:,} packets", "one with larger precincts, or with fewer layers"
        )
    blocks = max((each[0] for each in found), default=0) * components
    precincts = max((each[1] for each in found), default=0) * components
    segments = 0
    if any(each.style & _SEGMENTED for each in coded):
        segments = min(blocks * _MAX_SEGMENTS, int(file * _SEGMENTS_A_BYTE))
    return blocks * _BLOCK + precincts * _PRECINCT + packets * _PACKET + segments * _SEGMENT


def _coding(body: bytes, style: int, layers: int = 1) -> Coding:
    levels, wide, high, block_style = body[:4]
    if levels > _MAX_LEVELS:
        raise damaged("JPEG 2000", f"it has {levels} decomposition levels")
    sizes = body[5 : 6 + levels] if style & 1 else b""
    if style & 1 and len(sizes) != levels + 1:
        raise IndexError
    precincts = tuple((size & 15, size >> 4) for size in sizes)
    return Coding(levels, ((wide & 15) + 2, (high & 15) + 2), block_style, precincts, layers)


def _times(numbers: Iterator[int]) -> int:
    first, second = numbers
    return first * second
