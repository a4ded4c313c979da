"""Languages follow from the characters that a network knows."""

from __future__ import annotations

from transformer.algorithms.languages import LANGUAGES, languages, reads


def test_a_language_is_read_where_all_its_characters_are_known() -> None:
    latin = list(LANGUAGES["english"])
    assert languages(latin) == ["english"]
    assert languages([*latin, *"äöüÄÖÜß"]) == ["english", "german"]
    assert languages([]) == []


def test_a_language_may_be_named_in_several_ways() -> None:
    latin = list(LANGUAGES["english"])
    for name in ("english", "English", "en", " en "):
        assert reads(name, latin) is True
    for name in ("chinese", "ch", "zh"):
        assert reads(name, latin) is False
    assert reads("klingon", latin) is None
