"""Bodies in gzip and deflate: what comes out, piece by piece, and what is refused."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ppocr_api.errors import InvalidRequest
from transformer.http.content_encoding import MAX_MEMBERS, PIECE, Unpacker

BODY = bytes(range(256)) * 20_000


def bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def unpacked(encoding: str, packed: bytes, step: int) -> bytes:
    unpacker = Unpacker(encoding)
    pieces = [piece for at in range(0, len(packed), step) for piece in unpacker.feed(packed[at : at + step])]
    unpacker.finish()
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("step", [1, 3, 1000, 10_000_000])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(BODY)), ("deflate", zlib.compress(BODY)), ("deflate", bare(BODY))],
    ids=["gzip", "zlib", "bare deflate"],
)
def test_a_body_comes_out_however_it_arrives(encoding: str, packed: bytes, step: int) -> None:
    assert unpacked(encoding, packed, step) == BODY


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_bodies_of_all_sizes(size: int) -> None:
    assert unpacked("gzip", gzip.compress(bytes(size)), 100_000) == bytes(size)


def test_members_that_follow_each_other() -> None:
    assert unpacked("gzip", gzip.compress(b"a") * MAX_MEMBERS, 7) == b"a" * MAX_MEMBERS
    with pytest.raises(InvalidRequest, match="members"):
        unpacked("gzip", gzip.compress(b"") * (MAX_MEMBERS + 1), 1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [b"", b"\x1f", b"not packed", gzip.compress(BODY)[:-1], zlib.compress(BODY)[:-5]])
def test_what_is_damaged_or_cut_off(encoding: str, body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"damaged|truncated"):
        unpacked(encoding, body, 10_000)


def test_a_bomb_comes_out_only_as_far_as_it_is_asked_for() -> None:
    pieces = Unpacker("gzip").feed(gzip.compress(bytes(200_000_000), 1))
    assert next(pieces) == bytes(PIECE)
