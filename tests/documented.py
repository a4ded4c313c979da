"""The blocks of the documentation, and the commands in them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n(?:^\n(?=^ {4}))*)+", re.MULTILINE)
#: What stands between two commands of a line.
_BETWEEN = {"|", "||", "&", "&&", ";", "(", ")"}


@dataclass(frozen=True)
class Block:
    """A block of code: of a fence, with its language, or indented."""

    page: str
    language: str
    text: str

    @property
    def first(self) -> str:
        return self.text.lstrip().splitlines()[0].strip()


@dataclass(frozen=True)
class Command:
    """One program and its arguments, as a line of a block has them."""

    page: str
    line: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return re.sub(r"^\.venv/(bin|Scripts)/", "", self.words[0])

    def flags(self) -> list[str]:
        """`--name` of each long option."""
        return [word.partition("=")[0] for word in self.words[1:] if re.fullmatch(r"--\w.*", word)]

    def after(self, *options: str) -> list[str]:
        """The values of these options."""
        pairs = zip(self.words, self.words[1:], strict=False)
        return [value for option, value in pairs if option in options]


def pages() -> list[str]:
    """All Markdown files that git knows or would take in."""
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, text=True
    )
    return sorted(set(listed.splitlines()))


def blocks(page: str) -> Iterator[Block]:
    """Those of a page."""
    text = (ROOT / page).read_text()
    for _, language, inside in _FENCE.findall(text):
        yield Block(page, language, inside)
    for inside in _INDENTED.findall(_FENCE.sub("", text)):
        yield Block(page, "", inside)


def commands(block: Block) -> Iterator[Command]:
    """What a block tells to type: its lines after `$`, or all of them where none has one."""
    text = block.text.replace("\\\n", " ")
    if "Scripts\\" in text:  # paths of Windows
        text = text.replace("\\", "/")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    open_ = ""
    for line in lines:
        whole = f"{open_}\n{line}" if open_ else line
        try:
            yield from list(_of_line(block.page, whole))
            open_ = ""
        except ValueError:  # a quotation goes on in the next line
            open_ = whole


def _of_line(page: str, line: str) -> Iterator[Command]:
    """Raises ValueError where a quotation isn't closed."""
    lexer = shlex.shlex(re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "VALUE", line), posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _BETWEEN:
            words.append(word)
            continue
        while words and re.match(r"\w+=", words[0]):
            words.pop(0)
        if words:
            yield Command(page, line, tuple(words))
        words = []
