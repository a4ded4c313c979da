"""What the transformer and the predictor agree on: model facts, tensor names, and the interface between them.

Two networks, `det` and `rec`, speak the V2 inference protocol. Pixels are uint8, NHWC, RGB on the whole way; the networks
normalise them, and take the argmax over the characters, inside their graphs.

| model | inputs | outputs |
|---|---|---|
| det | `image` UINT8 [1,H,W,3], H and W multiples of `DetFacts.stride` | `probability` UINT8 [1,H,W], 255 = certainly text |
| rec, lines of one width | `lines` UINT8 [N,height,W,3] | `ids` INT32 [N,T], `probabilities` FP32 [N,T] |
| rec, any widths | `pixels` UINT8 [P], `widths` INT32 [N] | `ids` INT32 [S], `probabilities` FP32 [S], `steps` INT32 [N] |

In the second form of rec the lines lie one after the other, each as its own contiguous [height, w, 3] block, P bytes in
all, and so do the time steps of the answer, S in all. `ids` index `RecFacts.characters`; 0 is CTC's blank. Every answer
carries the identity of the bundle version that computed it; `BundleFacts` of that identity say how to decode it. A
request may name a version (`model_version`): by its number alone, as name/number, or by its identity.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ppocr_api.errors import BundleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]
    I32 = NDArray[np.int32]
    F32 = NDArray[np.float32]

DET, REC = "det", "rec"
Part = Literal["det", "rec"]

#: Key of `ModelMetadata.parameters` that holds `BundleFacts.to_json()`.
FACTS_PARAMETER = "ppocr.facts"
#: Key of an answer's parameters that holds `BundleFacts.identity` of the version that computed it.
IDENTITY_PARAMETER = "ppocr.identity"


@dataclass(frozen=True)
class DetFacts:
    """What a caller of the detection network must know: the size grid, and the DB parameters that belong to the model."""

    stride: int = 32
    limit_side_len: int = 960
    limit_type: Literal["max", "min"] = "max"
    max_side_len: int = 4000
    thresh: float = 0.3
    box_thresh: float = 0.6
    unclip_ratio: float = 1.5
    max_candidates: int = 1000


@dataclass(frozen=True)
class RecFacts:
    """What a caller of the recognition network must know. `characters[0]` is the blank, shown as an empty string."""

    characters: tuple[str, ...]
    height: int = 48
    width_step: int = 32
    min_width: int = 32
    max_width: int = 3200
    stride: int = 8


@dataclass(frozen=True)
class Normalisation:
    """(x / 255 - mean) / std by channel, in the order of `channels`, applied inside the graph."""

    channels: Literal["RGB", "BGR"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class BundleFacts:
    """All that the transformer needs to know of one version of a bundle. `digest` tells its content from any other's."""

    name: str
    version: str
    det: DetFacts
    rec: RecFacts
    det_normalisation: Normalisation
    rec_normalisation: Normalisation
    digest: str = ""

    @property
    def label(self) -> str:
        """name/version, as people are shown it."""
        return f"{self.name}/{self.version}"

    @property
    def identity(self) -> str:
        """name/version@digest. Two pods of one predictor, one of them older, may serve different models as version 1 of
        the same name: what an answer is decoded with is found by this, and by nothing less."""
        return f"{self.label}@{self.digest}"

    @property
    def det_grid(self) -> tuple[int, int, str, int]:
        """What decides the size that an image is scaled to for the detection."""
        return self.det.stride, self.det.limit_side_len, self.det.limit_type, self.det.max_side_len

    def is_called(self, version: str) -> bool:
        """Whether a request for `version` means this one."""
        return version in (self.version, self.label, self.identity)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> BundleFacts:
        try:
            raw: dict[str, Any] = json.loads(text)
            rec = {**raw["rec"], "characters": tuple(raw["rec"]["characters"])}
            return cls(
                name=raw["name"],
                version=raw["version"],
                det=DetFacts(**raw["det"]),
                rec=RecFacts(**rec),
                det_normalisation=_normalisation(raw["det_normalisation"]),
                rec_normalisation=_normalisation(raw["rec_normalisation"]),
                digest=raw["digest"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BundleError(f"the model facts can't be read: {type(error).__name__} at {error}") from error


def _normalisation(raw: dict[str, Any]) -> Normalisation:
    return Normalisation(raw["channels"], tuple(raw["mean"]), tuple(raw["std"]))


@dataclass(frozen=True)
class DetAnswer:
    """`probability` UINT8 [H,W] of one image, and the identity of the version that computed it."""

    probability: U8
    version: str


@dataclass(frozen=True)
class Lines:
    """The lines of one image: `pixels` UINT8 [sum height*w*3], `widths` INT32 [N]. Lines of equal width lie together."""

    pixels: U8
    widths: I32


@dataclass(frozen=True)
class RecAnswer:
    """`ids` INT32 [S], `probabilities` FP32 [S], `steps` INT32 [N] in the order of the lines, and the identity."""

    ids: I32
    probabilities: F32
    steps: I32
    version: str


class Predictor(Protocol):
    """The two networks, wherever they run: in this process (`predictor.local`) or behind gRPC (`transformer.predictor_client`).

    `deadline` is a `time.monotonic()` instant or None. `version` is a number, name/number or an identity; NotFound where no
    such version is in memory. All methods raise errors of `ppocr_api.errors` alone, and drop their work when the awaiting
    task is cancelled.
    """

    async def facts(self, version: str | None = None) -> BundleFacts:
        """Facts of `version`, or of the version that serves now."""

    async def det(self, image: U8, deadline: float | None = None, version: str | None = None) -> DetAnswer:
        """`image` UINT8 [H,W,3], H and W multiples of the stride."""

    async def rec(self, lines: Lines, version: str | None = None, deadline: float | None = None) -> RecAnswer:
        """All lines of one image, at least one. `version` asks for the version that did the detection: it answers for a
        while after it was swapped out."""

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""

    async def close(self) -> None:
        """Releases connections or networks."""
