"""Writes the model of crates/text/src/pos_tags: jieba.posseg's numbers (PyPI jieba, MIT), in a file that is read as it lies.

Run by hand, when jieba's model changes: python python/posseg_model.py
Little-endian, one after another:
- 64 tags, alphabetical, with a space behind each but the last, and a line feed. A state is a position (B, E, M, S: how a
  character stands in its word) times 64 plus a tag: numbers are in the order in which Python compares the pairs.
- u16, then so many f64: every logarithm of a probability that occurs, ascending.
- 256 times u16: where each state's start is in them.
- 256 times u8, then so many (u8, u16): the states that follow each state, ascending, and where their numbers are.
- u16, then so many characters, ascending: u16, then u8, then so many (u8, u16): the states of the character, ascending, and
  where their numbers are; 32768 is added where jieba has an emission for a state that its table does not give the character.
"""

import pathlib
import struct

from jieba.posseg.char_state_tab import P as TABLE
from jieba.posseg.prob_emit import P as EMIT
from jieba.posseg.prob_start import P as START
from jieba.posseg.prob_trans import P as TRANS

FILE = pathlib.Path(__file__).parent.parent / "crates" / "text" / "src" / "pos_tags" / "posseg.bin"
NEVER = -3.14e100


def main() -> None:
    states = sorted(START)
    tags = sorted({tag for _, tag in states})
    assert len(tags) == 64 and states == [(position, tag) for position in "BEMS" for tag in tags]
    number = {state: at for at, state in enumerate(states)}
    tables = [START, *TRANS.values(), *EMIT.values()]
    values = sorted({value for table in tables for value in table.values()} | {NEVER})
    place = {value: at for at, value in enumerate(values)}
    assert len(values) < 32768
    out = bytearray(" ".join(tags).encode() + b"\n")
    out += struct.pack(f"<H{len(values)}d", len(values), *values)
    out += struct.pack("<256H", *(place[START[state]] for state in states))
    for state in states:
        follow = sorted((number[to], place[value]) for to, value in TRANS[state].items())
        out += struct.pack("<B", len(follow))
        for entry in follow:
            out += struct.pack("<BH", *entry)
    characters = sorted(set(TABLE) | {character for table in EMIT.values() for character in table})
    out += struct.pack("<H", len(characters))
    for character in characters:
        given = {number[state] for state in TABLE.get(character, ())}
        having = {number[state] for state, table in EMIT.items() if character in table}
        entries = [
            (state, place[EMIT[states[state]].get(character, NEVER)] + (0 if state in given else 32768))
            for state in sorted(given | having)
        ]
        out += struct.pack("<HB", ord(character), len(entries))
        for entry in entries:
            out += struct.pack("<BH", *entry)
    FILE.write_bytes(out)


main()
