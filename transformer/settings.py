"""Settings of the transformer."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.listen import ListenSettings, MessageSettings
from ppocr.settings import setting


@dataclass(frozen=True)
class ReaderSettings:
    """How images are read: what is admitted, and how much at a time."""

    max_image_bytes: int = setting("Largest image file, in bytes.", 64 * 1024 * 1024, minimum=1024)
    max_image_pixels: int = setting(
        "Most pixels an image may have, read from its header before anything is decoded.", 64_000_000, minimum=1024
    )
    max_images: int = setting(
        "Images that may be in the service at a time; more are answered 429. A good value is twice the number of clients "
        "to be served without a refusal.",
        128,
        minimum=1,
    )
    max_instances: int = setting("Images that one request may carry.", 32, minimum=1)
    max_decoded_pixels: int = setting(
        "Pixels that may be decoded at a time, 3 bytes each; further images wait. Must be at least max_image_pixels.",
        256_000_000,
        minimum=1024,
    )
    max_line_pixels: int = setting(
        "Pixels that the lines cut out of one image may have, 3 bytes each; an image that needs more is refused. A line "
        "of 48x320 has 15,360, so the default holds thousands.",
        64_000_000,
        minimum=1024,
    )
    image_threads: int = setting("Threads for decoding, boxes and crops; 0 = one per processor.", 0, minimum=0)


@dataclass(frozen=True)
class WebSettings:
    """How pages and gateways reach the service."""

    cors_origins: str = setting(
        "Origins whose pages may ask this service from a browser, with spaces between them, such as https://shop.example.com; "
        "* for all. Empty: none but its own page.",
        "",
    )
    root_path: str = setting(
        "Path under which a gateway serves this service, such as /ocr: requests are answered with it and without it, and the "
        "page asks under it.",
        "",
    )


@dataclass(frozen=True)
class TransformerSettings(ListenSettings, WebSettings, ReaderSettings, MessageSettings):
    """The transformer as a service of its own, in front of a predictor."""

    predictor_host: str = setting(
        "The predictor's gRPC address: HOST, HOST:PORT, [IPv6]:PORT, dns:///HOST:PORT for a headless Service, or unix:PATH. "
        "KServe sets this.",
        "",
    )
    predictor_port: int = setting("The predictor's gRPC port where predictor_host names none.", 8081, minimum=1)
    model_name: str = setting("Name of the model on the routes. KServe sets this.", "ppocr")
