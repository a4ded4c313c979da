"""Small networks made and run by Paddle itself, in a process of its own: `python paddle_networks.py FOLDER`.

Each becomes FOLDER/NAME/inference.json with its parameters, and expected.npz: inputs and what Paddle makes of them.
Together they hold the operators of PP-OCRv2 to v6 that PP-OCRv4 mobile doesn't have.
The recurrent one is written as .pdmodel too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

FORMAT = sys.argv[2] if len(sys.argv) > 2 else "pir"
os.environ["FLAGS_enable_pir_api"] = "1" if FORMAT == "pir" else "0"  # noqa: SIM112

import numpy as np  # noqa: E402
import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import nn  # noqa: E402

CLASSES = 11


class Recurrent(nn.Layer):
    """The end of PP-OCRv2's recognition: two bidirectional LSTM layers and two fully connected ones."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 3, stride=(4, 4), padding=1)
        self.lstm = nn.LSTM(8, 6, num_layers=2, direction="bidirectional")
        self.first = nn.Linear(12, 7)
        self.second = nn.Linear(7, CLASSES)

    def forward(self, x: Any) -> Any:
        steps = self.conv(x).mean(axis=2).transpose([0, 2, 1])
        return F.softmax(self.second(self.first(self.lstm(steps)[0])), axis=2)


class Attention(nn.Layer):
    """SVTR's: tokens of a computed number, heads, scaled products, layer normalisation; and activations of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 3, stride=2, padding="SAME")
        self.norm = nn.BatchNorm2D(8)
        self.qkv = nn.Linear(8, 24)
        self.layer_norm = nn.LayerNorm(8, epsilon=1e-6)
        self.gelu = nn.GELU()
        self.last = nn.Linear(8, CLASSES)

    def forward(self, x: Any) -> Any:
        x = F.swish(self.norm(self.conv(x)))
        x = F.avg_pool2d(x, [2, 2])
        height, width = x.shape[2:]
        tokens = x.flatten(2).transpose([0, 2, 1])
        qkv = self.qkv(tokens).reshape([0, -1, 3, 2, 4]).transpose([2, 0, 3, 1, 4])
        q, k, v = qkv[0] * 0.5, qkv[1], qkv[2]
        scores = F.softmax(paddle.matmul(q, k.transpose([0, 1, 3, 2])), axis=-1)
        mixed = paddle.matmul(scores, v).transpose([0, 2, 1, 3]).reshape([0, -1, 8])
        tokens = self.layer_norm(tokens + mixed)
        tokens = tokens + self.gelu(tokens)
        grid = tokens.reshape([0, height, width, 8]).transpose([0, 3, 1, 2])
        grid = paddle.concat(paddle.split(grid, 2, axis=1)[::-1], axis=1)
        line = F.hardswish(grid.mean(axis=2)).transpose([0, 2, 1])
        return F.softmax(self.last(line), axis=2)


class Server(nn.Layer):
    """PP-OCRv4 and v5 server's detection: padding, pools, sizes, and the mean of two maps at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, stride=2, padding=1)
        self.small = nn.Conv2D(8, 8, 2)
        self.down = nn.Conv2D(8, 8, 3, stride=2, padding=1, groups=8)
        self.gate = nn.Conv2D(8, 8, 1)
        self.up = nn.Conv2DTranspose(16, 6, 2, stride=2)
        self.map = nn.Conv2D(6, 1, 1)
        self.local = nn.Conv2D(7, 1, 1)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.stem(x))
        x = self.small(F.pad(x, [0, 1, 0, 1])) + F.max_pool2d(F.pad(x, [0, 1, 0, 1]), 2, stride=1, ceil_mode=True)
        low = F.relu6(self.down(x))
        low = low * F.hardsigmoid(self.gate(F.adaptive_avg_pool2d(low, 1)), slope=0.2)
        x = paddle.concat([x, F.interpolate(low, scale_factor=2, mode="nearest")], axis=1)
        features = F.leaky_relu(self.up(x), 0.1)
        wide = F.interpolate(features, scale_factor=1.0, mode="bilinear", align_mode=1)
        first = F.sigmoid(self.map(features + wide))
        second = F.sigmoid(self.local(paddle.concat([features, first], axis=1)))
        return 0.5 * (first + second)


class Odd(nn.Layer):
    """What no PP-OCR network has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(3, 1, 1)

    def forward(self, x: Any) -> Any:
        return paddle.cumsum(self.conv(x), axis=3)


def main(folder: Path) -> None:
    paddle.seed(3)
    rng = np.random.default_rng(3)
    networks: dict[str, tuple[nn.Layer, list[int | None]]] = {"recurrent": (Recurrent(), [None, 3, 32, None])}
    if FORMAT == "pir":
        networks |= {
            "attention": (Attention(), [None, 3, 16, None]),
            "server": (Server(), [None, 3, None, None]),
            "odd": (Odd(), [None, 3, None, None]),
        }
    for name, (network, shape) in networks.items():
        network.eval()
        images = [rng.normal(size=[count, 3, shape[2] or 32, 32 * count]).astype(np.float32) for count in (1, 3)]
        expected = [network(paddle.to_tensor(image)).numpy() for image in images]
        spec = [paddle.static.InputSpec(shape, "float32")]
        paddle.jit.save(paddle.jit.to_static(network, spec, full_graph=True), str(folder / name / "inference"))
        np.savez(folder / name / "expected.npz", x1=images[0], y1=expected[0], x3=images[1], y3=expected[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
