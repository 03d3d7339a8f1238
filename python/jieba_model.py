"""Writes what crates/text/src/tokenizers/jieba cuts by: jieba's dictionary and finalseg's numbers (PyPI jieba, MIT).

Run by hand, when jieba's data change: python python/jieba_model.py
words.txt: a line with the sum of all frequencies, then a line for all words of one frequency and tag: `frequency tag word …`,
the most frequent first.
finalseg.bin: little-endian, one after another:
- u16, then so many f64: every logarithm of a probability that occurs, ascending. Below, u16 are places among them.
- 4 times u16: of the states B, E, M, S at the start; 16 times u16: of each state behind each, the earlier one first.
- u16, then so many characters, ascending: u16, then 4 times u16: how probable each state shows it.
"""

import pathlib
import struct
from collections import defaultdict

import jieba
from jieba import finalseg

FOLDER = pathlib.Path(__file__).parent.parent / "crates" / "text" / "src" / "tokenizers" / "jieba"
STATES = "BEMS"


def words() -> str:
    total, entries = 0, {}
    source = pathlib.Path(jieba.__file__).parent / "dict.txt"
    for line in source.read_text(encoding="utf-8").splitlines():
        word, frequency, tag = line.split(" ")
        # Of a word that stands there twice, the second counts; the sum is that of both.
        entries[word] = (int(frequency), tag)
        total += int(frequency)
    alike = defaultdict(list)
    for word, entry in entries.items():
        alike[entry].append(word)
    order = sorted(alike, key=lambda entry: (-entry[0], entry[1]))
    lines = (f"{frequency} {tag} {' '.join(sorted(alike[frequency, tag]))}\n" for frequency, tag in order)
    return f"{total}\n" + "".join(lines)


def numbers() -> bytes:
    never = finalseg.MIN_FLOAT
    start = [finalseg.start_P[state] for state in STATES]
    follow = [finalseg.trans_P[one].get(other, never) for one in STATES for other in STATES]
    characters = sorted({character for state in STATES for character in finalseg.emit_P[state] if "\u4e00" <= character <= "\u9fd5"})
    show = {character: [finalseg.emit_P[state].get(character, never) for state in STATES] for character in characters}
    values = sorted({never, *start, *follow, *(value for row in show.values() for value in row)})
    place = {value: at for at, value in enumerate(values)}
    out = struct.pack(f"<H{len(values)}d", len(values), *values)
    out += struct.pack("<20H", *(place[value] for value in start + follow))
    out += struct.pack("<H", len(characters))
    return out + b"".join(struct.pack("<5H", ord(character), *(place[value] for value in show[character])) for character in characters)


def main() -> None:
    (FOLDER / "words.txt").write_text(words(), encoding="utf-8", newline="\n")
    (FOLDER / "finalseg.bin").write_bytes(numbers())


main()
