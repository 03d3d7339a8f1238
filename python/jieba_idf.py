"""Writes the document frequencies of crates/text/src/keywords/idf.txt out of jieba's idf.txt.

jieba has one line a word, its inverse document frequency with 12 digits. That is ln(N / df), N texts, for all of them, so
that df says the same: here is one line a df, the number and all its words. Run once for a version of jieba.
"""

import math
import pathlib
from collections import defaultdict

import jieba.analyse

ROOT = pathlib.Path(__file__).parent.parent
TEXTS = 1088899


def main() -> None:
    source = pathlib.Path(jieba.analyse.__file__).parent / "idf.txt"
    words = defaultdict(list)
    for line in source.read_text(encoding="utf-8").splitlines():
        word, idf = line.split(" ")
        df = round(TEXTS / math.exp(float(idf)))
        assert abs(math.log(TEXTS / df) - float(idf)) < 1e-9, line
        words[df].append(word)
    lines = (f"{df} {' '.join(sorted(words[df]))}\n" for df in sorted(words))
    target = ROOT / "crates" / "text" / "src" / "keywords" / "idf.txt"
    target.write_text("".join(lines), encoding="utf-8", newline="\n")


main()
