"""Whose turn it is: who came first, as long as nobody was given much more than those that wait."""

from __future__ import annotations

from ppocr_limits.shares import HEAD_START, MAX_SHARES, Line, Shares


def order(line: Line[str], shares: Shares, of: dict[str, str], cost: float, most: int = 100) -> list[str]:
    """Serves one after the other, each for `cost` seconds."""
    served = []
    while line and len(served) < most:
        item = line.next()
        assert item is not None
        shares.serve(of[item], cost, line.shares)
        line.remove(of[item], item)
        served.append(item)
    return served


def filled(*items: str) -> tuple[Line[str], Shares, dict[str, str]]:
    """Items such as "a1", of the share "a", in the order in which they came."""
    shares = Shares()
    line: Line[str] = Line(shares)
    for now, item in enumerate(items):
        line.add(item[0], item, float(now))
    return line, shares, {item: item[0] for item in items}


def test_what_costs_little_keeps_its_order() -> None:
    items = ["a1", "a2", "b1", "a3", "c1", "b2"]
    line, shares, of = filled(*items)
    assert order(line, shares, of, HEAD_START / 10) == items


def test_what_came_in_bulk_gives_way() -> None:
    line, shares, of = filled(*(f"a{number:02}" for number in range(32)), "b1", "c1")
    served = order(line, shares, of, HEAD_START)
    assert max(served.index("b1"), served.index("c1")) <= 4
    assert [item for item in served if item[0] == "a"] == sorted(item for item in served if item[0] == "a")


def test_those_that_always_have_work_are_served_alike() -> None:
    line, shares, of = filled(*(f"{share}{number:02}" for share in "abc" for number in range(20)))
    served = order(line, shares, of, HEAD_START / 2, most=30)
    counts = [sum(item[0] == share for item in served) for share in "abc"]
    assert max(counts) - min(counts) <= 3


def test_nobody_saves_up_and_nobody_pays_for_what_no_other_wanted() -> None:
    line, shares, of = filled(*(f"a{number:02}" for number in range(20)))
    order(line, shares, of, 1.0)
    line.add("a", "a", 20.0)
    line.add("b", "b", 21.0)
    assert abs(shares.served("a") - shares.served("b")) < 1e-9
    assert line.next() == "a"


def test_newcomers_dont_starve_the_one_that_was_served() -> None:
    """A stream of requests, each a share of its own: the one that has had its part comes back to its turn."""
    shares = Shares()
    line: Line[str] = Line(shares)
    shares.serve("old", 10 * HEAD_START, 1)
    shares.serve("old", 10 * HEAD_START, 5)
    line.add("old", "old", 0.0)
    for number in range(1000):
        line.add(f"new{number}", f"new{number}", 1.0 + number)
        item = line.next()
        assert item is not None
        if item == "old":
            return
        shares.serve(item, HEAD_START, line.shares)
        line.remove(item, item)
    raise AssertionError("it was never served")


def test_a_share_whose_first_isnt_allowed_is_left_out() -> None:
    line, _, _ = filled("a1", "b1")
    assert line.next(lambda item: item != "a1") == "b1"
    assert line.next(lambda item: False) is None


def test_only_so_many_shares_are_remembered() -> None:
    shares = Shares()
    for number in range(3 * MAX_SHARES):
        shares.arrives(number)
        shares.serve(number, 1.0, 2)
    assert len(shares._served) <= MAX_SHARES
