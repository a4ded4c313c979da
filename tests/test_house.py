"""The house stays as docs/architecture.md draws it: small files, and a kernel that is only a kernel. Layers: `make check`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = (
    "bench",
    "clients",
    "loadtest",
    "ppocr",
    "ppocr_capacity",
    "ppocr_cli",
    "ppocr_convert",
    "ppocr_grpc",
    "ppocr_limits",
    "ppocr_settings",
    "ppocr_tracing",
    "ppocr_local",
    "ppocr_rollout",
    "predictor",
    "scripts",
    "tests",
    "transformer",
)
MAX_LINES = 250
MAX_KERNEL_LINES = 3500


def test_no_file_is_longer_than_one_idea() -> None:
    sizes = {str(path.relative_to(ROOT)): lines(path) for room in ROOMS for path in sources(room)}
    assert len(sizes) > 100
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_the_kernel_is_small() -> None:
    """`ppocr/` holds what both services share, and nothing else."""
    assert 0 < sum(lines(path) for path in sources("ppocr")) <= MAX_KERNEL_LINES


def test_every_package_is_a_room() -> None:
    """So that neither this file nor the layers' contract in pyproject.toml leaves one out."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(ROOMS)
    contract = (ROOT / "pyproject.toml").read_text().partition("[tool.importlinter]")[2]
    clients = {path.parent.name for path in ROOT.glob("clients/python/*/__init__.py")}
    assert [name for name in (packages | clients) - {"tests"} if f'    "{name}",' not in contract] == []


def sources(room: str) -> list[Path]:
    """Its Python files that a person wrote: protoc's output (*_pb2.py) and the peers' environments are not."""
    found = (ROOT / room).rglob("*.py")
    return [path for path in found if not path.stem.endswith(("_pb2", "_pb2_grpc")) and ".peers" not in path.parts]


def lines(path: Path) -> int:
    return path.read_text().count("\n")
