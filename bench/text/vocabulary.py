"""Words of several languages, and texts made of them."""

from __future__ import annotations

from random import Random

_WORDS = (
    "the and of to a in is it for on with at from this have are not all new day house water market window paper "
    "street garden number light morning price order letter ticket summer Tuesday London please delivery invoice "
    "der die das und ist nicht ein eine mit für auf Straße Bücher Größe täglich Schlüssel Wasser Müller zwölf le "
    "la les des est une pour dans où été déjà fenêtre garçon hôtel prix français près train forêt il lo di che è "
    "un una per con più città perché però caffè giovedì camera chiave el los las por para niño mañana año señor "
    "calle número jardín 7 12 48 2024 15:30 3.50 19,90 No. A4 "
)
WORDS = tuple(_WORDS.split())

CHINESE = (
    "今天天气很好我们去公园散步请在下午三点之前把文件送到办公室这个商店的水果非常新鲜价格也不贵图书馆周末开放到晚上八点火车站附近有一家安静的旅馆"
    "新的合同已经签好了请查收他每天早上骑自行车上班会议改到星期四举行电话号码已经更新经理正在检查所有的报告天黑以后不要一个人出门"
)
JAPANESE = (
    "今日は天気がとても良いので公園を散歩しました午後三時までに書類を事務所へ届けてください"
    "この店の果物は新鮮で値段も高くありません図書館は週末も夜八時まで開いています"
    "駅の近くに静かな旅館があります新しい契約書を確認してくださいコーヒーとケーキを注文した"
)


#: Look alike in two scripts: only a sentence can tell which is meant.
_ALIKE = set("へヘりリーべベぺペ一二口力夕工卜八三千才")


def _level_1(rows: range, encoding: str) -> str:
    """The commoner half of a standard's characters, without _ALIKE."""
    cells = range(0xA1, 0xFF)
    text = bytes(byte for row in rows for cell in cells for byte in (row, cell)).decode(encoding)
    return "".join(character for character in text if character not in _ALIKE)


HANZI, KANJI = _level_1(range(0xB0, 0xD7), "gb2312"), _level_1(range(0xB0, 0xCF), "euc_jp")
KANA = "".join(character for character in JAPANESE if "\u3041" <= character <= "\u30ff" and character not in _ALIKE)


def words(random: Random, count: int) -> list[str]:
    """`count` words of all the languages."""
    return [random.choice(WORDS) for _ in range(count)]


def sentence(random: Random, characters: int) -> str:
    """Words up to `characters`, a space between them."""
    text = random.choice(WORDS)
    while len(longer := f"{text} {random.choice(WORDS)}") <= characters:
        text = longer
    return text


def stretch(random: Random, source: str, characters: int) -> str:
    """A part of a text that is written without spaces."""
    start = random.randrange(max(1, len(source) - characters))
    return source[start : start + characters]


def single_characters(random: Random, script: str, count: int) -> str:
    """Characters that have nothing to do with each other: Japanese ones are kana in part."""
    if script == "Japanese":
        return "".join(random.choice(KANA if random.random() < 0.5 else KANJI) for _ in range(count))
    return "".join(random.choice(HANZI) for _ in range(count))
