"""The threads for work on pixels: fair between requests, and one is always left for what isn't large."""

from __future__ import annotations

import threading
import time

import pytest

from transformer.threads import FairThreads


def test_results_and_errors_come_back() -> None:
    threads = FairThreads(3)
    assert threads.submit(lambda: 5, "a").result(5) == 5
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0, "a").result(5)
    threads.close()
    with pytest.raises(RuntimeError):
        threads.submit(lambda: 5, "a")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_large_work_leaves_a_thread(count: int) -> None:
    threads, go = FairThreads(count), threading.Event()
    large = [threads.submit(lambda: go.wait(20), f"huge {n}", large=True) for n in range(8)]
    for number in range(20):
        assert threads.submit(lambda number=number: number, f"small {number}").result(5) == number
    go.set()
    assert all(future.result(5) for future in large)
    threads.close()


def test_one_request_with_a_lot_of_work_doesnt_go_first_for_ever() -> None:
    threads, order = FairThreads(2), []
    go = threading.Event()
    blockers = [threads.submit(lambda: go.wait(20), "blocker") for _ in range(2)]

    def work(name: str) -> None:
        order.append(name)
        time.sleep(0.1)

    bulk = [threads.submit(lambda n=n: work(f"bulk {n}"), "bulk") for n in range(20)]
    small = threads.submit(lambda: work("small"), "small")
    go.set()
    for future in (*blockers, *bulk, small):
        future.result(20)
    assert order.index("small") <= 10
    threads.close()


def test_what_is_cancelled_before_it_began_is_left_out() -> None:
    threads, go, done = FairThreads(2), threading.Event(), []
    blockers = [threads.submit(lambda: go.wait(20), "a") for _ in range(2)]
    cancelled = threads.submit(lambda: done.append(1), "b")
    assert cancelled.cancel()
    go.set()
    for future in blockers:
        future.result(5)
    threads.submit(lambda: None, "c").result(5)
    assert not done
    threads.close()


def test_closing_lets_running_work_end_and_drops_the_rest() -> None:
    threads, began = FairThreads(2), threading.Barrier(3)
    running = [threads.submit(lambda: (began.wait(5), time.sleep(0.2)), n) for n in range(2)]
    waiting = threads.submit(lambda: None, "later")
    began.wait(5)
    threads.close()
    assert all(future.done() for future in running) and waiting.cancelled()
