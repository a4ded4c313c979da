"""Threads for the work on pixels, shared fairly among the requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from ppocr_limits.shares import Line, Share, Shares

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Task:
    share: Share
    large: bool
    future: Future[Any]
    work: Callable[[], Any]


class FairThreads:
    """`count` threads, two at least. Of work that is large they do so much at a time that one of them is left for the rest."""

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._shares = Shares()
        self._line: Line[_Task] = Line(self._shares)
        self._closed = False
        self._running: list[_Task] = []
        count = max(2, count)
        self._most_large = count - 1
        self._threads = [threading.Thread(target=self._work, name=f"image-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], T], share: Share, large: bool = False) -> Future[T]:
        """Has `work` done in a thread. A future that is cancelled before it is started is left out."""
        task = _Task(share, large, Future(), work)
        with self._changed:
            if self._closed:
                raise RuntimeError("the threads are closed")
            self._line.add(share, task, time.monotonic())
            self._changed.notify()
        return task.future

    def close(self) -> None:
        """Lets running work end, and drops what waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            waiting = list(self._line)
        for task in waiting:
            task.future.cancel()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            began = time.monotonic()
            if task.future.set_running_or_notify_cancel():
                _do(task)
            with self._changed:
                self._running.remove(task)
                self._shares.serve(task.share, time.monotonic() - began, self._line.shares + len(self._running) + 1)
                if task.large:
                    self._changed.notify()
            del task  # what it holds is large, and the next one may come late

    def _next(self) -> _Task | None:
        """Waits for work; None when the threads are closed."""
        with self._changed:
            while not self._closed:
                full = sum(task.large for task in self._running) >= self._most_large
                task = self._line.next(_is_small if full else _any)
                if task is not None:
                    self._line.remove(task.share, task)
                    self._running.append(task)
                    return task
                self._changed.wait()
        return None


def _any(task: _Task) -> bool:
    return True


def _is_small(task: _Task) -> bool:
    return not task.large


def _do(task: _Task) -> None:
    try:
        result = task.work()
    except BaseException as error:
        task.future.set_exception(error)
    else:
        task.future.set_result(result)
