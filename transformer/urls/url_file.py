"""An image of a request that is given by its URL."""

from __future__ import annotations

from transformer.image_file import ImageFile

SCHEMES = ("http://", "https://")


class UrlFile(ImageFile):
    """`data` is empty until the file was fetched (fetching.py); from then on it is an image file like others.

    `size` is how many bytes were fetched.
    """

    def __init__(self, url: str, where: str, whole: bool = False) -> None:
        super().__init__(b"", where, whole=whole)
        self.url = url
        self.size = 0


def is_url(text: str) -> bool:
    """Whether it is a URL that may be fetched, by its scheme."""
    return text[:8].lower().startswith(SCHEMES)
