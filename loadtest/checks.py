"""Whether an answer says what the image says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from loadtest.pictures import Picture


class WrongText(Exception):
    """The service answered, with other text than the image has."""


class Judge:
    """Holds answers against a reference run, else against labels, else against the first answer to the same image.

    The service promises that a text doesn't depend on what else it reads, so all answers of one version agree word for
    word, whatever they were asked by. A label is another matter: what must be there is a share of its words.
    """

    def __init__(self, min_recall: float, min_agreement: float) -> None:
        self._min_recall = min_recall
        self._min_agreement = min_agreement
        self._first: dict[str, tuple[str, ...]] = {}

    def check(self, picture: Picture, lines: Sequence[str]) -> None:
        """Raises WrongText. Messages are the same for the same fault, as Locust counts them by their text."""
        if picture.reference is None and picture.label is not None:
            share = recall(picture.label, lines)
            if share < self._min_recall:
                raise WrongText(
                    f"{picture.name}: {share:.2f} of the label's words were read, and at least {self._min_recall:g} must be"
                )
            return
        expected = "the reference" if picture.reference is not None else "the first answer"
        before = self._first.setdefault(picture.name, tuple(lines)) if picture.reference is None else picture.reference
        if self._min_agreement == 1:
            if before != tuple(lines):
                raise WrongText(f"{picture.name}: other lines than in {expected}")
        elif (share := recall(before, lines)) < self._min_agreement:
            raise WrongText(
                f"{picture.name}: {share:.2f} of the words of {expected} were read, and at least {self._min_agreement:g} must be"
            )


def recall(expected: Iterable[str], got: Iterable[str]) -> float:
    """The share of the words of `expected`, as a bag, that `got` has; 1 where nothing is expected."""
    true, read = words(expected), words(got)
    return (true & read).total() / true.total() if true else 1.0


def words(texts: Iterable[str]) -> Counter[str]:
    """Runs of letters and digits in capitals: order and punctuation don't count."""
    return Counter(word for text in texts for word in re.findall(r"[^\W_]+", text.upper()))
