"""Decodes untrusted image files to RGB pixels: `decode(data, limits)`. docs/images.md says what is read and what is refused."""

from transformer.images.decode import decode, inspect, pixels
from transformer.images.limits import ImageLimits
from transformer.images.source import Source

__all__ = ["ImageLimits", "Source", "decode", "inspect", "pixels"]
