"""Writes the golden values of the tests: what the reference implementations make of python/texts.json.

Run by `make goldens`; the versions are in integration-tests/goldens/versions.json.
"""

import json
import pathlib
import platform
import unicodedata
from importlib.metadata import version

import jieba
import numpy
import regex
from sklearn.feature_extraction.text import CountVectorizer
from uniseg.graphemecluster import grapheme_clusters
from uniseg.sentencebreak import sentences
from uniseg.wordbreak import words

ROOT = pathlib.Path(__file__).parent.parent
GOLDENS = ROOT / "integration-tests" / "goldens"
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def write(name: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (GOLDENS / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def is_word(piece: str) -> bool:
    """A piece between word boundaries is a word where it holds a letter or a digit."""
    return regex.search(r"[\p{Alphabetic}\p{N}]", piece) is not None


def pairs() -> list[dict]:
    """Vectors of single precision, and what numpy makes of them in double precision."""
    random = numpy.random.default_rng(7)
    rows = []
    for length in (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100, 384, 400):
        for scale in (1e-6, 1.0, 1e6):
            a, b = (random.normal(scale=scale, size=length).astype(numpy.float32) for _ in "ab")
            x, y = a.astype(numpy.float64), b.astype(numpy.float64)
            rows.append(
                {
                    "a": [float(str(value)) for value in a],
                    "b": [float(str(value)) for value in b],
                    "cosine_similarity": float(x @ y / (numpy.linalg.norm(x) * numpy.linalg.norm(y))),
                    "dot_product": float(x @ y),
                    "euclidean_distance": float(numpy.linalg.norm(x - y)),
                }
            )
    return rows


def main() -> None:
    texts = json.loads((ROOT / "python" / "texts.json").read_text(encoding="utf-8"))
    GOLDENS.mkdir(exist_ok=True)
    analyse = CountVectorizer().build_analyzer()
    everything = lambda text: [piece for piece in jieba.cut(text, cut_all=True) if piece]
    users = jieba.Tokenizer()
    users.load_userdict(str(ROOT / "python" / "words.txt"))
    tokens = {
        "char": lambda text: list(grapheme_clusters(text)),
        "jieba": jieba.lcut,
        "jieba_all": everything,
        "jieba_no_hmm": lambda text: jieba.lcut(text, HMM=False),
        "jieba_search": jieba.lcut_for_search,
        "jieba_words": users.lcut,
        "jieba_words_search": users.lcut_for_search,
        "sklearn": analyse,
        "whitespace": str.split,
        "word": lambda text: [piece for piece in words(text) if is_word(piece)],
    }
    for name, tokenize in tokens.items():
        write(f"tokenize_{name}", [{"text": text, "tokens": tokenize(text)} for text in texts])
    cut = lambda text: [piece.strip() for piece in sentences(text) if piece.strip()]
    write("sentences", [{"text": text, "tokens": cut(text)} for text in texts])
    normal = lambda text: {form.lower(): unicodedata.normalize(form, text) for form in FORMS}
    write("normalize_text", [{"text": text, **normal(text)} for text in texts])
    write("vectors", pairs())
    used = ("jieba", "numpy", "regex", "scikit-learn", "uniseg")
    versions = {"python": platform.python_version(), "unicode of python": unicodedata.unidata_version}
    write("versions", versions | {name: version(name) for name in used})


main()
