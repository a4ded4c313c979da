"""Settings of the transformer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ppocr.listen import ListenSettings, MemorySettings, MessageSettings, PageSettings
from ppocr_settings.settings import setting


@dataclass(frozen=True)
class ReaderSettings(PageSettings, MemorySettings):
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
    max_instances: int = setting("Images that one request may carry.", 32, minimum=1, maximum=1024)
    max_line_pixels: int = setting(
        "Pixels that the lines cut out of one image may have, 3 bytes each; an image that needs more is refused. A line "
        "of 48x320 has 15,360, so the default holds thousands.",
        64_000_000,
        minimum=1024,
    )
    max_page_pixels: int = setting(
        "Pixels in which detection may look at one image. Images of small print are looked at closely, a tile after the other; "
        "where that would take more, they are looked at less closely, and a warning in the answer says that text may be missing.",
        16_000_000,
        minimum=1_000_000,
    )
    image_threads: int = setting("Threads for decoding, boxes and crops; 0 = one per processor.", 0, minimum=0)


@dataclass(frozen=True)
class FormatSettings:
    """Which wire formats are answered, and where besides the service's own ports. A port of 0 isn't opened."""

    formats: str = setting(
        "Wire formats that the service's ports answer: names of docs/api.md with commas between them, or all.", "all"
    )
    pdserving_port: int = setting(
        "Further HTTP port that answers like PaddleServing's pipeline (its own was 9998), and nothing else. 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )
    pdserving_grpc_port: int = setting(
        "Further gRPC port (the pipeline's own was 18091). 0: none.", 0, minimum=0, maximum=65535
    )
    pdserving_name: str = setting("Name of the service in the pipeline's requests.", "ocr")
    pdserving_answer: str = setting(
        "What the pipeline's service answers: result (texts, scores and boxes), res (texts, as before PaddleOCR 2.6), det "
        "(boxes), rec (the text of one line).",
        "result",
        choices=("result", "res", "det", "rec"),
    )
    pdserving_metrics: bool = setting("Count requests and networks under the pipeline's names too, in /metrics.", False)
    tracer: str = setting(
        "File to which a report like that of the pipeline's tracer is added from time to time: times of detection and "
        "recognition, requests, latencies, queues. Empty: none.",
        "",
    )
    tracer_seconds: float = setting("How often, in seconds.", 10.0, minimum=0.1)
    web_service_port: int = setting(
        "Further HTTP port that answers like PaddleServing's web service for Windows (its own was 9292). 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )
    hubserving_ports: str = setting(
        "Further HTTP ports that answer like PaddleHub Serving, with commas between them (its own were 8865 to 8868). Every "
        "module is served on each. Empty: none.",
        "",
    )
    paddlex_port: int = setting(
        "Further HTTP port that answers like PaddleX and PaddleOCR 3 (their own was 8080). 0: none.",
        0,
        minimum=0,
        maximum=65535,
    )


@dataclass(frozen=True)
class UrlSettings:
    """Whether images are fetched by URL, which PaddleX' and NVIDIA's formats may name instead of sending one."""

    url_hosts: str = setting(
        "Hosts from which images are fetched, with spaces between them: images.example.com (HTTPS), *.example.com (those under "
        "it), http://scans.example.com:8000. Only at public addresses, and without redirects. Empty: nothing is fetched.",
        "",
    )
    url_timeout_seconds: float = setting("Longest time in which such an image must have arrived.", 10.0, minimum=0.1)


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
class AccessSettings:
    """Who may ask."""

    api_key_file: str = setting(
        "File of the API keys, a line NAME:HASH for each (docs/security.md); callers send one as 'Authorization: Bearer KEY'. "
        "Read again when it changes. Empty: no key is needed.",
        "",
    )

    def client_of(self) -> Callable[[str], str] | None:
        """What knows the keys. Raises ConfigError."""
        from transformer.keys import Keys

        return Keys(self.api_key_file).client if self.api_key_file else None


@dataclass(frozen=True)
class FrontSettings(ListenSettings, WebSettings, AccessSettings, ReaderSettings, FormatSettings, UrlSettings):
    """Everything that callers meet, wherever the networks run."""

    model_name: str = setting("Name of the model on the routes. KServe sets this.", "ppocr")


@dataclass(frozen=True)
class TransformerSettings(FrontSettings, MessageSettings):
    """The transformer as a service of its own, in front of a predictor."""

    predictor_host: str = setting(
        "The predictor's gRPC address: HOST, HOST:PORT, [IPv6]:PORT, dns:///HOST:PORT for a headless Service, or unix:PATH. "
        "KServe sets this.",
        "",
    )
    predictor_port: int = setting("The predictor's gRPC port where predictor_host names none.", 8081, minimum=1)
    predictor_ca_file: str = setting(
        "Certificates that sign the predictor's, in PEM: it is asked over TLS then, by the name in predictor_host.",
        "",
    )
    predictor_cert_file: str = setting(
        "The certificate that this transformer shows to its predictor, in PEM; all three files are read again when they change.",
        "",
    )
    predictor_key_file: str = setting("Private key of that certificate, in PEM.", "")
