"""Fixtures of all tests: real services, real receipts."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests import needs, services

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """One line about what was skipped, and what to install, below all else that is said of the tests."""
    yield
    skipped = terminalreporter.getreports("skipped")
    line = needs.line(report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple))
    if line:
        terminalreporter.write_line(line, yellow=True)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes aren't part of a test's name: packed ones hold the time, and workers must find the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def receipt() -> bytes:
    """One scanned receipt, JPEG."""
    return (HERE / "data" / "075.jpg").read_bytes()


@pytest.fixture(scope="session")
def receipts() -> Path:
    """The folder of labelled receipts, named by PPOCR_TEST_DATA."""
    folder = Path(os.environ.get("PPOCR_TEST_DATA", HERE.parent.parent / "shared" / "data")) / "receipts"
    if not folder.is_dir():
        needs.missing("the labelled receipts")
    return folder


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Service]:
    """`ppocr serve`, started once for all tests that only ask it things."""
    with services.all_in_one(tmp_path_factory.mktemp("service") / "log") as running:
        yield running
