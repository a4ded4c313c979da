"""Runs the coverage-guided fuzzer on one target: `python -m tests.fuzz.guided TARGET FOLDER [OPTIONS of libFuzzer]`

Atheris instruments the project's own modules, so that inputs which reach new lines are kept, in FOLDER, and changed further. It
begins with the target's seeds and the kept corpus. A finding ends it with the trace and exit code 77; its input then lies in
FOLDER/found-….
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import random
import sys
import time
import traceback
from pathlib import Path

import atheris

#: Packages whose coverage guides the search: the code that parses untrusted bytes.
READERS = ["ppocr", "ppocr_grpc", "ppocr_limits", "predictor", "transformer", "python_multipart"]
CORPUS = Path(__file__).parent / "corpus"
#: The exit code of a finding.
FOUND = 77
#: Of an input, in seconds and in MiB of the whole process.
SLOWEST, MOST_MEMORY = 5, 1024
#: Of a fork, in seconds and inputs; and the option that says how long all of them run.
LONGEST, MOST_INPUTS, TOTAL = 20, 50_000, "-max_total_time="


def main(name: str, folder: Path, *options: str) -> None:
    with atheris.instrument_imports(include=READERS):
        from tests.fuzz.targets import TARGETS
    logging.disable()  # what the service would log of a request
    target = TARGETS[name]
    begin, words = folder / "seeds", folder / "words"
    begin.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds()):
        (begin / str(index)).write_bytes(seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    kept = folder / "kept"
    kept.mkdir(exist_ok=True)
    known = [f"-artifact_prefix={folder}/found-", f"-timeout={SLOWEST}", f"-rss_limit_mb={MOST_MEMORY}"]
    if target.words:
        known.append(f"-dict={words}")
    arguments = [name, *known, *options, str(kept), str(begin), str(CORPUS / name)]

    def one(data: bytes) -> None:
        try:
            target.one(data)
        except Exception:
            # Written here and not by libFuzzer, which with some libraries' threads around doesn't come so far.
            (folder / f"found-{hashlib.sha1(data).hexdigest()}").write_bytes(data)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(FOUND)

    if target.head is None:
        atheris.Setup(arguments, one)
    else:
        head = target.head
        atheris.Setup(arguments, one, custom_mutator=lambda data, most, seed: _mutated(bytes(data), most, seed, head))
    atheris.Fuzz()


def _mutated(data: bytes, most: int, seed: int, head: int) -> bytes:
    """Half of the time a place of the JSON behind `head` bytes is changed, so that it stays JSON; else any bytes."""
    from tests.fuzz.mutators import changed

    dice = random.Random(seed)
    try:
        message = json.loads(data[head:]) if dice.random() < 0.5 else None
    except (ValueError, RecursionError):
        message = None
    if message is not None:
        mutant = data[:head] + json.dumps(changed(message, dice)).encode()
        if len(mutant) <= most:
            return mutant
    return bytes(atheris.Mutate(data, most))


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())


def in_a_child(name: str, folder: Path, *options: str) -> int:
    """Runs main in a fork, and gives its exit code.

    libFuzzer's limit is of the peak of memory, and a process that a large one started begins with the peak of that one. A fork
    of this small process begins at its own size.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    main(name, folder, *options)
    return 0


def one_after_the_other(name: str, folder: Path, *options: str) -> int:
    """Forks, of LONGEST seconds or MOST_INPUTS each, until the time of `options` is over or one has found something.

    Atheris 3.0 never frees the result of a comparison that it instruments. Where arrays are compared, as in images/jpeg.py, that
    is an array: 7 KB an input on average. Without instrumentation the same inputs leave nothing behind. A fork goes on with
    what those before it kept.
    """
    others = [each for each in options if not each.startswith(TOTAL)]
    seconds = [int(each.removeprefix(TOTAL)) for each in options if each.startswith(TOTAL)]
    end = time.monotonic() + seconds[-1] if seconds else math.inf
    while (left := end - time.monotonic()) >= 1:
        code = in_a_child(name, folder, f"-runs={MOST_INPUTS}", *others, f"{TOTAL}{math.ceil(min(left, LONGEST))}")
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(one_after_the_other(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
