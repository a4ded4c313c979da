"""Files that mean harm, or only look like images: name → bytes, and a part of the sentence that they earn."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.transformer.images import files, nasty_coded
from tests.transformer.images.crafted import (
    GIF_FRAME,
    JPEG,
    PNG,
    SMALL,
    avif_of_declared,
    bigtiff_of,
    heic_of_declared,
    jpeg2000_of,
    jpeg2000_with_palette,
    jpeg_head,
    jpeg_scan,
    looping_tiff,
    png_with,
    tiff_of,
    webp_of,
    with_number,
)

#: Refused with 413: read from the header, nothing decoded.
TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "PNG of 30,000 x 30,000": lambda: files.png(30_000, 30_000, rows=b"\0" * 100),
    "PNG of 65,535 x 65,535": lambda: files.png(65_535, 65_535, rows=b"\0" * 100),
    "PNG of 2,147,483,647 x 1": lambda: files.png(2**31 - 1, 1, rows=b"\0" * 100),
    "JPEG of 30,000 x 30,000": lambda: jpeg_head(30_000, 30_000) + jpeg_scan(100) + b"\xff\xd9",
    "JPEG of 65,535 x 65,535": lambda: jpeg_head(65_535, 65_535) + jpeg_scan(100) + b"\xff\xd9",
    "GIF of 65,535 x 65,535": lambda: files.gif(65_535, 65_535, GIF_FRAME),
    "GIF whose frame is larger than its canvas": lambda: files.gif(8, 8, files.gif_frame(1, 1, 60_000, 60_000)),
    "TIFF of 65,535 x 65,535": lambda: tiff_of(65_535, 65_535),
    "TIFF whose directories form a loop": looping_tiff,
    "BMP of 30,000 x 30,000": lambda: files.bmp(bytes(100), 30_000, 30_000, 24),
    "WebP of 16,383 x 16,383": lambda: webp_of(16_383, 16_383),
    "WebP whose canvas is of 16 Mpx times 16": lambda: files.riff(
        (b"VP8X", b"\2\0\0\0" + b"\xff\xff\0" * 2), (b"ANMF", bytes(24))
    ),
    "BigTIFF of 65,535 x 65,535": lambda: bigtiff_of(t256=(16, [65_535]), t257=(16, [65_535])),
    "BMP of run lengths of 30,000 x 30,000": lambda: files.bmp(bytes(100), 30_000, 30_000, 8, compression=1),
    "JPEG 2000 of 30,000 x 30,000": lambda: jpeg2000_of(30_000, 30_000),
    "JPEG 2000 of 200 bytes and 7 million code blocks": lambda: jpeg2000_of(6000, 6000, components=3, block=0),
    "JPEG 2000 of 12 million precincts": lambda: jpeg2000_of(4000, 4000, components=3, precinct=2),
    "AVIF of 30,000 x 30,000": lambda: with_number(files.written("AVIF"), b"ispe", 4, 30_000, 30_000),
    "AVIF whose picture says 30,000 x 30,000": lambda: avif_of_declared(30_000, 30_000),
    "HEIC of 30,000 x 30,000": lambda: with_number(files.written("HEIF"), b"ispe", 4, 30_000, 30_000),
    "HEIC whose picture says 16,384 x 16,384": lambda: heic_of_declared(16_384, 16_384),
    "64 MiB and one byte": lambda: JPEG + bytes(64 * 1024 * 1024 + 1 - len(JPEG)),
}

NOT_READ: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "the image is empty"),
    "one byte": (lambda: b"\xff", "not an image in a supported format"),
    "text": (lambda: b"total 12.00", "not an image in a supported format"),
    "gzip body": (lambda: gzip.compress(PNG), "gzip data"),
    "PDF": (lambda: b"%PDF-1.7\n", "a PDF document"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    "video": (lambda: b"\0\0\0\x18ftypisom" + bytes(40), "a video, or an image with an unusual codec"),
    "data URL": (lambda: b"data:image/png;base64,iVBO", "a data URL"),
    "base64 of a JPEG": (lambda: b"/9j/4AAQSkZJRg==", "base64 text"),
    "lossless JPEG": (lambda: jpeg_head(8, 8, marker=0xC3) + b"\xff\xd9", "a lossless JPEG is not supported"),
    "arithmetic-coded JPEG": (lambda: jpeg_head(8, 8, marker=0xC9) + b"\xff\xd9", "an arithmetic-coded JPEG"),
    "hierarchical JPEG": (lambda: jpeg_head(8, 8, marker=0xC5) + b"\xff\xd9", "a hierarchical JPEG"),
    "JPEG of 12 bits": (lambda: jpeg_head(8, 8, precision=12) + b"\xff\xd9", "a JPEG with 12 bits per sample"),
    "JPEG of many empty scans": (
        lambda: jpeg_head(8000, 8000, marker=0xC2) + jpeg_scan(200_000) + jpeg_scan(1, first=1) * 60 + b"\xff\xd9",
        "a JPEG of this size with 17 scans is not supported",
    ),
    "TIFF of floats of 64 bits": (
        lambda: tiff_of(8, 8, t339=(3, [3]), t258=(3, [64])),
        "a TIFF with photometric interpretation 1",
    ),
    "TIFF of whole numbers of 32 bits": (lambda: tiff_of(8, 8, t258=(3, [32])), "1 samples of 32 bits"),
    "TIFF of CIELAB": (
        lambda: files.tiff(np.zeros((8, 8, 3), np.uint8), 8),
        "a TIFF with photometric interpretation 8",
    ),
    "TIFF of Zstandard": (lambda: tiff_of(8, 8, t259=(3, [50_000])), "a TIFF with compression 50000"),
    "TIFF of old JPEG": (lambda: tiff_of(8, 8, t259=(3, [6])), "a TIFF with compression 6"),
    "TIFF of 16-bit grey with alpha": (
        lambda: files.tiff(np.zeros((8, 8, 2), np.uint16), 1, bits=16),
        "2 samples of 16 bits",
    ),
    "TIFF of YCbCr, not in JPEG": (lambda: files.tiff(np.zeros((8, 8, 3), np.uint8), 6), "a YCbCr TIFF"),
    "BMP of a JPEG": (lambda: files.bmp(JPEG, 8, 8, 24, compression=4), "a BMP with compression 4 is not supported"),
    "JPEG 2000 of five components": (lambda: jpeg2000_of(8, 8, components=5), "a JPEG 2000 image with 5 components"),
    "JPEG 2000 of grey with alpha": (
        lambda: files.save(Image.new("LA", (8, 8)), "JPEG2000"),
        "a JPEG 2000 image with 2 components",
    ),
    "JPEG 2000 of CMYK": (
        lambda: files.written("JPEG2000").replace(b"colr\1\0\0\0\0\0\x10", b"colr\1\0\0\0\0\0\x0c"),
        "a JPEG 2000 image in colour space 12",
    ),
    "JPEG 2000 of one bit": (lambda: jpeg2000_of(8, 8).replace(b"\7\1\1", b"\0\1\1"), "with samples of 1 bits"),
    "JPEG 2000 of components of 8 and 16 bits": (
        lambda: jpeg2000_of(8, 8, components=3).replace(b"\7\1\1", b"\17\1\1", 1),
        "components differ in depth",
    ),
    "JPEG 2000 of signed samples": (lambda: jpeg2000_of(8, 8).replace(b"\7\1\1", b"\x87\1\1"), "unsigned"),
    "JPEG 2000 of a million tiles": (lambda: jpeg2000_of(1000, 1000, tile=1), "image with 1,000,000 tiles"),
    "JPEG 2000 of 65,535 layers": (
        lambda: jpeg2000_of(8000, 8000, precinct=6, layers=65_535),
        "packets is not supported",
    ),
    "JPEG 2000 of a palette of 255 columns": (lambda: jpeg2000_with_palette(255), "a palette of 255 components"),
    "HEIC of an overlay": (lambda: files.written("HEIF").replace(b"hvc1", b"iovl"), "an HEIC image of kind 'iovl'"),
    "BMP of odd masks": (
        lambda: files.bmp(bytes(256), 8, 8, 32, compression=3, masks=struct.pack("<III", 7, 8, 0xFF00)),
        "a BMP with unusual colour masks",
    ),
}

DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    **nasty_coded.DAMAGED,
    "46-byte PNG of a 2.1 GB chunk": (
        lambda: PNG[:33] + struct.pack(">I4s", 2_100_000_000, b"IDAT") + b"\x78\x9c\0\0\0",
        "the PNG file is truncated: its IDAT chunk declares 2,100,000,000 bytes, and 1 are left",
    ),
    "PNG of a negative chunk length": (
        lambda: PNG[:33] + struct.pack(">I4s", 2**32 - 12, b"IDAT") + bytes(40),
        "the PNG file is truncated",
    ),
    "PNG without pixels": (lambda: PNG[:33] + PNG[-12:], "the PNG file is truncated: it has no pixels"),
    "PNG whose pixels end early": (lambda: files.png(64, 64, rows=bytes(100)), "the PNG file is damaged"),
    "PNG without a palette": (lambda: files.png(8, 8, colour=3, rows=bytes(72)), "it has no palette"),
    "PNG of a colour type that isn't": (lambda: files.png(8, 8, colour=5), "colour type 5 with 8 bits"),
    "PNG without width": (lambda: files.png(0, 8), "its header says 0 x 8 pixels"),
    "PNG that begins with IDAT": (lambda: PNG[:8] + files.chunk(b"IDAT", bytes(20)) + PNG[8:], "its header"),
    "PNG of an unknown critical chunk": (lambda: png_with(files.chunk(b"EVIL", b"")), "unknown critical chunk"),
    "PNG of 5 million empty chunks": (lambda: PNG[:33] + files.chunk(b"tEXt", b"") * 5_000_000, "65,536 chunks"),
    "PNG of a wrong checksum": (lambda: PNG[:-20] + bytes(4) + PNG[-16:], "the PNG file is damaged"),
    "GIF of 30 million pieces": (
        lambda: files.gif(8, 8, GIF_FRAME[:11] + b"\1\0" * 1 + b"")[:-1] + b"\1\1" * 30_000_000,
        "the GIF file is",
    ),
    "GIF of extensions alone": (lambda: files.gif(8, 8, b"!\xfe\0" * 1_000_000), "10,000 blocks"),
    "GIF without a frame": (lambda: files.gif(8, 8), "it"),
    "GIF without a palette": (lambda: b"GIF89a\x08\0\x08\0\0\0\0" + GIF_FRAME + b";", "it has no colour table"),
    "GIF whose pixels end early": (
        lambda: files.gif(90, 90, files.gif_frame(90, 1)[:5] + b"\x5a\0\x5a\0" + files.gif_frame(90, 1)[9:]),
        "the GIF file is damaged",
    ),
    "JPEG without a frame": (lambda: b"\xff\xd8\xff\xd9", "it has no frame header"),
    "JPEG of two frames": (lambda: jpeg_head(8, 8) + jpeg_head(8, 8)[2:] + b"\xff\xd9", "two frame headers"),
    "JPEG whose scan comes first": (lambda: b"\xff\xd8" + jpeg_scan(9) + b"\xff\xd9", "before the frame header"),
    "JPEG without a scan": (lambda: jpeg_head(8, 8) + b"\xff\xd9", "a colour component has no scan"),
    "JPEG that ends after one colour": (
        lambda: jpeg_head(8, 8, count=3) + jpeg_scan(9) + b"\xff\xd9",
        "a colour component has no scan",
    ),
    "JPEG of 16 Mpx in 100 bytes": (lambda: jpeg_head(4000, 4000) + jpeg_scan(100) + b"\xff\xd9", "can't hold"),
    "JPEG without height": (lambda: jpeg_head(8, 0) + b"\xff\xd9", "its header says 8 x 0 pixels"),
    "JPEG of 40,000 comments": (lambda: jpeg_head(8, 8) + b"\xff\xfe\0\2" * 40_000, "2,000 segments"),
    "JPEG of a segment too short": (lambda: b"\xff\xd8\xff\xe0\0\1" + bytes(20), "segment 0xe0 declares 1 bytes"),
    "JPEG of fill bytes": (lambda: b"\xff\xd8" + b"\xff" * 1_000_000, "it ends before its end-of-image marker"),
    "TIFF whose directory is out of the file": (lambda: b"II*\0\xff\xff\xff\x7f", "its directory is at byte"),
    "TIFF whose directory is its header": (lambda: b"II*\0\0\0\0\0" + bytes(40), "its directory is at byte 0"),
    "TIFF of 65,535 entries": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(65_535 * 12), "65,535 entries"),
    "TIFF of 4 billion strips": (
        lambda: (
            files.tiff(SMALL, 1)[:8]
            + files.tiff(SMALL, 1)[8:].replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 2**32 - 1))
        ),
        "the TIFF file is truncated: the values of tag 273",
    ),
    "TIFF whose strip is out of the file": (lambda: tiff_of(8, 8, t273=(4, [9_000])), "its pixels reach to byte"),
    "TIFF whose strip is too short": (lambda: tiff_of(8, 800, t278=(4, [800])), "a block of pixels has 64 bytes"),
    "TIFF whose strips are one": (
        lambda: files.tiff(SMALL, 1, rows=1, tags={273: (4, [8] * 8), 279: (4, [64] * 8)}),
        "its blocks of pixels overlap",
    ),
    "TIFF of a tile of 4 Gpx": (
        lambda: tiff_of(8, 8, t322=(4, [65_520]), t323=(4, [65_520])),
        "it has tiles of 65520 x 65520 pixels",
    ),
    "TIFF without height": (lambda: tiff_of(8, 0), "its header says 8 x 0 pixels"),
    "BigTIFF of offsets of 4 bytes": (lambda: b"II+\0\4\0\0\0" + bytes(40), "doesn't declare offsets of 8 bytes"),
    "BigTIFF of 2**60 entries": (
        lambda: struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 2**60) + bytes(400),
        "its directory has 1,152,921,504,606,846,976 entries",
    ),
    "BMP of run lengths that are cut": (
        lambda: files.bmp_of_runs(SMALL[..., 0], np.zeros((256, 3), np.uint8))[:-4],
        "the BMP file is truncated: its pixels take 34 bytes, and 30 are left",
    ),
    "BMP of run lengths that end early": (
        lambda: files.bmp_of_runs(SMALL[..., 0], np.zeros((256, 3), np.uint8)).replace(
            b"\x08\0\0\0" * 8, b"\x08\0\0\0"
        ),
        "the BMP file is",
    ),
    "BMP of run lengths from the top": (
        lambda: files.bmp(bytes(1100), 8, -8, 8, compression=1),
        "doesn't allow 8 bits per pixel, top down",
    ),
    "BMP of a header that isn't": (lambda: b"BM" + bytes(60), "its header declares a length of 0 bytes"),
    "BMP of 3 bits": (lambda: files.bmp(bytes(64), 8, 8, 3), "1 planes of 3 bits"),
    "BMP of 4 billion colours": (
        lambda: files.bmp(bytes(2000), 8, 8, 8)[:46] + b"\xff\xff\xff\xff" + bytes(2000),
        "4,294,967,295 colours",
    ),
    "BMP whose pixels are its header": (lambda: files.bmp(bytes(64), 8, 8, 8), "inside its header"),
    "WebP of two sizes": (
        lambda: files.riff((b"VP8X", bytes(4) + b"\xff\0\0\xff\0\0"), (b"VP8L", b"\x2f\7\xc0\1\0" + bytes(20))),
        "its canvas and its picture differ",
    ),
    "WebP without a picture": (lambda: files.riff((b"VP8X", bytes(10))), "it has no picture"),
    "WebP of a chunk of 4 GB": (
        lambda: b"RIFF\x14\0\0\0WEBPVP8L\xff\xff\xff\xff" + bytes(8),
        "a chunk declares 4,294,967,295 bytes",
    ),
}
CORPUS: dict[str, Callable[[], bytes]] = {
    **TOO_LARGE,
    **{name: make for name, (make, _) in NOT_READ.items()},
    **{name: make for name, (make, _) in DAMAGED.items()},
}
