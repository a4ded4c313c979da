"""The languages that a recognition network can read: those whose characters are all among its labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_LATIN: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#: English name → characters that every longer text in that language has; English has only the basic Latin letters.
LANGUAGES: Final = {
    "english": _LATIN,
    "chinese": "的一是不了在人有我他这中大来上国",
    "traditional chinese": "的一是不了在人有我他這中大來上國",
    "japanese": "のにはをたがでてとしあいうカタナスルン日本語",
    "korean": "이다는의에을를가고하한국어",
    "french": _LATIN + "àâçéèêëîïôùûüÉ",
    "german": _LATIN + "äöüÄÖÜß",
    "spanish": _LATIN + "áéíñóúü",
    "portuguese": _LATIN + "áâãàçéêíóôõú",
    "italian": _LATIN + "àèéìòù",
    "polish": _LATIN + "ąćęłńóśźż",
    "turkish": _LATIN + "çğıöşüİ",
    "vietnamese": _LATIN + "ăâđêôơưạếệ",
    "russian": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hindi": "अआइईउकखगघचजटडतदनपबमयरलवशसह",
    "thai": "กขคงจชดตถทนบปพมยรลวสหอ",
}
#: Other names that callers use: docling has English names, PaddleOCR and ISO have short codes.
_ALIASES: Final = {
    "en": "english",
    "ch": "chinese",
    "zh": "chinese",
    "chinese_cht": "traditional chinese",
    "zh-tw": "traditional chinese",
    "ja": "japanese",
    "japan": "japanese",
    "ko": "korean",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    "pt": "portuguese",
    "it": "italian",
    "pl": "polish",
    "tr": "turkish",
    "vi": "vietnamese",
    "ru": "russian",
    "el": "greek",
    "ar": "arabic",
    "hi": "hindi",
    "th": "thai",
}


def reads(language: str, labels: Collection[str]) -> bool | None:
    """Whether a network with these labels can read `language`; None if the language is unknown here."""
    name = language.strip().lower()
    characters = LANGUAGES.get(_ALIASES.get(name, name))
    return None if characters is None else set(characters) <= set(labels)


def languages(labels: Collection[str]) -> list[str]:
    """The names of all languages that a network with these labels can read."""
    known = set(labels)
    return [name for name, characters in LANGUAGES.items() if set(characters) <= known]
