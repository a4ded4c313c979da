"""The contract between transformer and predictor: a bundle's networks, and the one call that runs them.

A bundle lists its networks by name, in the order in which a page meets them. Pixels are uint8, NHWC, RGB on the whole way;
a network normalises them, and chooses the best of its classes, inside its graph. `Predictor.run` puts items of any sizes
into one network and answers them together. ppocr/network_wire.py says how that looks as V2 tensors.

| task | an item | outputs of an item |
|---|---|---|
| `page_orientation` | the page, scaled | `label` INT32 [1], `probability` FP32 [1] |
| `detection` | the page on the network's grid [H,W,3] | `probability` UINT8 [H*W], 255 = certainly text |
| `line_orientation` | a line, scaled | `label` INT32 [1], `probability` FP32 [1] |
| `recognition` | a line [height,W,3] | `ids` INT32 [T], `probabilities` FP32 [T], T time steps |

`label` and `ids` index `NetworkFacts.labels`: the angles in degrees, or the characters, where 0 is CTC's blank. Every answer
carries the identity of the bundle version that computed it; `BundleFacts` of that identity say how to decode it. A request
may name a version: by its number, as name/number, or by its identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ppocr_api.errors import InvalidRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]
    I32 = NDArray[np.int32]
    F32 = NDArray[np.float32]

PAGE_ORIENTATION, DETECTION = "page_orientation", "detection"
LINE_ORIENTATION, RECOGNITION = "line_orientation", "recognition"

#: Key of `ModelMetadata.parameters` that holds the facts of a version as JSON (ppocr/facts_json.py).
FACTS_PARAMETER = "ppocr.facts"
#: Key of an answer's parameters that holds `BundleFacts.identity` of the version that computed it.
IDENTITY_PARAMETER = "ppocr.identity"
#: Key of a request's parameters that holds the share it belongs to.
SHARE_PARAMETER = "ppocr.share"
#: What a predictor says if it has no version at all, and how it begins if it hasn't the one that was asked for: of all that
#: it says in errors this alone is understood.
NOTHING_LOADED = "no version of the model is loaded"
NO_SUCH_VERSION = "there is no version"


@dataclass(frozen=True)
class Axis:
    """Lengths that one side of an item may have, in pixels: from `minimum` to `maximum` in steps, mostly `usual`."""

    minimum: int
    maximum: int
    step: int
    usual: int

    @property
    def fixed(self) -> bool:
        """Whether there is only one length."""
        return self.minimum == self.maximum

    def takes(self, length: int) -> bool:
        """Whether a side may have `length`."""
        return self.minimum <= length <= self.maximum and (length - self.minimum) % self.step == 0

    def __str__(self) -> str:
        if self.fixed:
            return str(self.minimum)
        return f"{self.minimum} to {self.maximum} in steps of {self.step}"


@dataclass(frozen=True)
class Grid:
    """Sizes of items that a network takes."""

    height: Axis
    width: Axis

    @property
    def whole_pages(self) -> bool:
        """Whether items are pages of any shape, one per image, rather than lines or thumbnails of one height."""
        return not self.height.fixed

    @property
    def one_size(self) -> bool:
        """Whether items have one height and one width."""
        return self.height.fixed and self.width.fixed

    def check(self, name: str, height: int, width: int) -> None:
        """Raises InvalidRequest for a size that the network `name` doesn't take."""
        if not (self.height.takes(height) and self.width.takes(width)):
            raise InvalidRequest(
                f"{name} takes heights of {self.height} and widths of {self.width} pixels; this is {height}x{width}"
            )


@dataclass(frozen=True)
class Normalisation:
    """(x / 255 - mean) / std by channel, in the order of `channels`, applied inside the graph."""

    channels: Literal["RGB", "BGR"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Output:
    """An output of a network by its name in the graph, and its V2 datatype."""

    name: str
    datatype: str


@dataclass(frozen=True)
class NetworkFacts:
    """One network of a bundle.

    `name` is the V2 model name, `input` the graph's input. `labels` are the meanings of its class numbers.
    `parameters` belong to the task: the stage that uses the network checks them (transformer/pipeline).
    """

    name: str
    task: str
    input: str
    grid: Grid
    normalisation: Normalisation
    outputs: tuple[Output, ...]
    labels: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BundleFacts:
    """All that the transformer needs to know of one version of a bundle. `digest` identifies its content.

    `networks` are in the order in which a page meets them.
    """

    name: str
    version: str
    networks: tuple[NetworkFacts, ...]
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

    def is_called(self, version: str) -> bool:
        """Whether a request for `version` means this one."""
        return version in (self.version, self.label, self.identity)

    def network(self, name: str) -> NetworkFacts | None:
        """The network of that name."""
        return next((network for network in self.networks if network.name == name), None)

    def of_task(self, task: str) -> NetworkFacts | None:
        """The network that does `task`."""
        return next((network for network in self.networks if network.task == task), None)


@dataclass(frozen=True)
class Items:
    """The input of a network: `pixels` UINT8 [P], `sizes` INT32 [N,2] of (height, width).

    The items follow each other, each as its own contiguous [height, width, 3] block. Neighbours of equal size are
    computed without a copy.
    """

    pixels: U8
    sizes: I32

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True)
class Answer:
    """The output of a network: each output flat, the items' parts one after the other; `counts` INT32 [N] elements an item has.

    All outputs of a network have the same number of elements for an item. `version` is the identity that computed them.
    """

    outputs: Mapping[str, NDArray[Any]]
    counts: I32
    version: str


class Predictor(Protocol):
    """The networks of a bundle, in this process (`predictor.local`) or behind gRPC
    (`transformer.predictor_client`).

    All methods raise only errors of `ppocr_api.errors`, and drop their work when the awaiting task is cancelled.
    """

    async def facts(self, version: str | None = None) -> BundleFacts:
        """Facts of `version`, or of the version that serves now. NotFound if no such version is in memory."""

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None, share: str = ""
    ) -> Answer:
        """Computes all `items`, at least one, on the network of that name.

        `version` is a number, name/number or an identity: one that was swapped out answers for a while longer. `deadline`
        is a `time.monotonic()` instant. `share` says whose work it is: calls of one share are served like one
        (ppocr_limits/shares.py); "" makes the call a share of its own. Raises NotFound if no such version or network is in
        memory, InvalidRequest for
        sizes off the network's grid.
        """

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""

    async def close(self) -> None:
        """Releases connections or networks."""
