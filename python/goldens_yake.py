"""Writes the golden values of `keywords` by `yake`: what the Python package makes of the texts, run from outside.

    python -m venv yake-venv && yake-venv/bin/pip install yake==0.7.3 && yake-venv/bin/python python/goldens_yake.py

It is apart from goldens.py, and the package is in no requirements file, because its licence is the GNU GPL: it is run
here, and neither read nor shipped. Its deduplication is the Levenshtein similarity; its default compares otherwise.
"""

import json
import os
import pathlib
import re

import yake

ROOT = pathlib.Path(__file__).parent.parent
# Where the package joins what we leave apart: an address and all up to a later `@`.
EXCEPT = ("https://example.org/a_b/c-d?e=f&g=%20#top and mail",)


def read(name: str) -> list[str]:
    return json.loads((ROOT / "python" / f"{name}.json").read_text(encoding="utf-8"))


def stop_words() -> list[str]:
    """What the function stop_words gives for English: a file of the crate stop-words, as Cargo keeps it."""
    release = re.search(r'name = "stop-words"\nversion = "(.+)"', (ROOT / "Cargo.lock").read_text(encoding="utf-8"))[1]
    cargo = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    (path,) = cargo.glob(f"registry/src/*/stop-words-{release}/src/nltk/english")
    return path.read_text(encoding="utf-8").split()


def main() -> None:
    texts = [text for text in read("texts") + read("chinese") + read("prose") if not text.startswith(EXCEPT)]
    extractor = yake.KeywordExtractor(
        lan="en", n=3, dedup_lim=0.9, dedup_func="levs", top=1_000_000, stopwords=set(stop_words())
    )
    shown = lambda found: "\x1e".join(f"{term}\x1f{score:.9g}" for term, score in found)
    rows = [{"text": text, "yake": shown(extractor.extract_keywords(text) if text.strip() else [])} for text in texts]
    path = ROOT / "integration-tests" / "goldens" / "keywords_yake.json"
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


main()
