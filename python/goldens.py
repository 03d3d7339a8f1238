"""Writes the golden values of the tests: what the reference implementations make of python/texts.json, chinese.json and prose.json.

Run by `make goldens`; the versions are in integration-tests/goldens/versions.json.
"""

import itertools
import json
import os
import pathlib
import platform
import re
import struct
import unicodedata
from importlib.metadata import version

import jieba
import jieba.analyse
import jieba.posseg
import numpy
import regex
from nltk.collocations import BigramCollocationFinder
from nltk.metrics import BigramAssocMeasures
from rake_nltk import Rake
from rapidfuzz import fuzz_py
from rapidfuzz.distance import JaroWinkler, Levenshtein
import snowballstemmer
import xxhash
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer, strip_accents_unicode
from uniseg.graphemecluster import grapheme_clusters
from uniseg.sentencebreak import sentences
from uniseg.wordbreak import words

ROOT = pathlib.Path(__file__).parent.parent
GOLDENS = ROOT / "integration-tests" / "goldens"
CODES = {
    "arabic": "ar", "armenian": "hy", "basque": "eu", "catalan": "ca", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "esperanto": "eo", "estonian": "et", "finnish": "fi", "french": "fr", "german": "de",
    "greek": "el", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "irish": "ga", "italian": "it",
    "lithuanian": "lt", "nepali": "ne", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt",
    "romanian": "ro", "russian": "ru", "serbian": "sr", "sesotho": "st", "spanish": "es", "swedish": "sv",
    "tamil": "ta", "turkish": "tr", "yiddish": "yi",
}
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


def likeness(texts: list[str]) -> list[dict]:
    """Pairs of texts, alike and not, and what RapidFuzz and Python's sets make of them."""
    random = numpy.random.default_rng(11)
    pairs = [("MARTHA", "MARHTA"), ("DWAYNE", "DUANE"), ("DIXON", "DICKSONX"), ("a", ""), ("", ""), ("ab", "abcdefghijklmnopqrst")]
    pairs += [("fuzzy was a bear", "fuzzy fuzzy was a bear"), ("new york mets", "the york mets of\x1cnew jersey"), ("x y ab", "ac x y")]
    pairs += [(f"new{chr(code)}york mets", "york new") for code in range(0x110000) if chr(code).isspace()]
    pairs += zip(texts, texts[1:] + texts[:1])
    for text in texts:
        words, letters = text.split(), list(text)
        random.shuffle(words)
        for at in random.integers(0, len(letters) + 1, size=3):
            letters[at : at + 2] = letters[at : at + 2][::-1] + ["x"] * int(at % 2)
        pairs += [(text, " ".join(words)), (text, "".join(letters))]
    rows = []
    for a, b in pairs:
        left, right = set(a.split()), set(b.split())
        rows.append(
            {
                "a": a,
                "b": b,
                "jaccard_similarity": len(left & right) / len(left | right) if left | right else 1.0,
                "jaro_winkler_similarity": JaroWinkler.similarity(a, b),
                "levenshtein_similarity": Levenshtein.normalized_similarity(a, b),
                # By str.split: RapidFuzz's compiled form takes U+0085 and U+00A0 as letters where a text is Latin-1.
                "token_set_ratio": float(fuzz_py.token_set_ratio(a, b)),
            }
        )
    return rows


def stems(texts: list[str]) -> list[dict]:
    """Words of all texts and of each language, and their stems: one entry a language."""
    everywhere = {word for text in texts for word in regex.findall(r"[\p{L}\p{M}']+", text.lower())}
    languages = json.loads((ROOT / "python" / "inflected.json").read_text(encoding="utf-8"))
    names = {code: name for name, code in CODES.items()}
    rows = []
    for language, words in languages.items():
        words = sorted(everywhere | set(words.lower().split()))
        stemmer = snowballstemmer.stemmer(names[language])
        # One string a list: as a word a line it would be the largest file here.
        rows.append({"language": language, "words": " ".join(words), "stems": "|".join(stemmer.stemWords(words))})
    return rows


def signed(number: int, bits: int) -> int:
    return number - (number >> (bits - 1) << bits)


def minhash(tokens: list[str], seed: int) -> list[int]:
    """The formula of the documentation: eight numbers."""
    def salts():
        state, mask = seed, 2**64 - 1
        while True:
            state = number = (state + 0x9E3779B97F4A7C15) & mask
            number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & mask
            number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & mask
            yield (number ^ (number >> 31)) >> 32

    def mix(hash: int) -> int:
        hash = ((hash ^ (hash >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        hash = ((hash ^ (hash >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        return hash ^ (hash >> 16)

    hashes = [xxhash.xxh64_intdigest(token.encode(), seed) & 0xFFFFFFFF for token in tokens]
    return [signed(min((mix(hash ^ salt) for hash in hashes), default=2**32 - 1), 32) for salt in itertools.islice(salts(), 8)]


def simhash(tokens: list[str]) -> int:
    """The formula of the documentation."""
    hashes = [xxhash.xxh64_intdigest(token.encode(), 0) for token in tokens]
    return signed(sum(1 << bit for bit in range(64) if 2 * sum(hash >> bit & 1 for hash in hashes) > len(tokens)), 64)


def sketches(texts: list[str]) -> list[dict]:
    """What becomes of the words between white space: bags by Python, vectors by scikit-learn, sketches by their formulas."""
    rows = []
    for text in texts:
        tokens = text.split()
        row = {"text": text, "bag_of_words": [[term, tokens.count(term)] for term in sorted(set(tokens))]}
        for dimension in (7, 1048576):
            vector = HashingVectorizer(n_features=dimension, norm=None, analyzer=str.split).transform([text])
            entries = [(int(at), float(value)) for at, value in zip(vector.indices, vector.data) if value != 0]
            row[f"hash_vector_{dimension}"] = [[entry[side] for entry in entries] for side in (0, 1)]
        signature = minhash(tokens, 7)
        bands = [signed(xxhash.xxh64_intdigest(struct.pack("<4q", *signature[at * 4 : at * 4 + 4]), at), 64) for at in range(2)]
        rows.append(row | {"minhash": minhash(tokens, 0), "minhash_bands": bands, "simhash": simhash(tokens)})
    return rows


# Options of TfidfVectorizer as Python has them, and as CREATE MODEL has them where that differs.
TFIDF = [
    ({}, {}),
    ({"lowercase": False}, {}),
    ({"lowercase": False, "strip_accents": "ascii"}, {}),
    ({"strip_accents": "unicode"}, {}),
    ({"stop_words": "english"}, {}),
    ({"stop_words": ["the", "a", "of", "is"], "ngram_range": (1, 2)}, {"stop_words": "the, a, of,is"}),
    ({"ngram_range": (2, 3)}, {}),
    ({"analyzer": "char", "ngram_range": (1, 3)}, {}),
    ({"analyzer": "char", "lowercase": False, "ngram_range": (2, 2)}, {}),
    ({"analyzer": "char_wb", "ngram_range": (2, 5), "strip_accents": "unicode"}, {}),
    ({"min_df": 2}, {}),
    ({"min_df": 0.03, "max_df": 0.5}, {}),
    ({"max_df": 2}, {}),
    ({"max_features": 40}, {}),
    ({"max_features": 25, "binary": True, "analyzer": "char"}, {}),
    ({"binary": True, "norm": "l1"}, {}),
    ({"use_idf": False, "norm": None}, {"norm": "none"}),
    ({"smooth_idf": False, "sublinear_tf": True}, {}),
    ({"sublinear_tf": True, "norm": "l1", "min_df": 2, "max_df": 0.8}, {}),
    ({"token_pattern": r"(?u)[0-9a-zé]+"}, {"tokenizer": "regex:[0-9a-zé]+"}),
    ({"tokenizer": str.split, "token_pattern": None}, {"tokenizer": "whitespace"}),
    ({"tokenizer": jieba.lcut, "token_pattern": None}, {"tokenizer": "jieba"}),
]


def tfidf(texts: list[str]) -> list[dict]:
    """One entry a set of options: the vocabulary, in how many texts each term is, and the vectors of all texts."""
    rows = []
    for options, ours in TFIDF:
        limit = options.get("max_features")
        vectorizer = TfidfVectorizer(**{name: value for name, value in options.items() if name != "max_features"})
        counts = CountVectorizer(**{name: value for name, value in vectorizer.get_params().items() if name in CountVectorizer().get_params() and name != "dtype"})
        matrix = counts.fit_transform(texts)
        terms = list(counts.get_feature_names_out())
        if limit is not None:
            # scikit-learn leaves ties to its sort; here they go by term.
            totals = matrix.sum(axis=0).A1
            kept = sorted(sorted(range(len(terms)), key=lambda at: (-totals[at], terms[at]))[:limit])
            terms, matrix = [terms[at] for at in kept], matrix[:, kept]
            vectorizer.set_params(vocabulary=terms)
        weights = vectorizer.fit_transform(texts)
        assert list(vectorizer.get_feature_names_out()) == terms
        weights.sort_indices()
        with_ranges = {name: value for name, value in options.items() if name not in ("ngram_range", "token_pattern", "tokenizer")}
        if "ngram_range" in options:
            with_ranges |= dict(zip(("ngram_min", "ngram_max"), options["ngram_range"]))
        shown = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in (with_ranges | ours).items()}
        rows.append(
            {
                "options": shown,
                "terms": "\x1f".join(terms),
                "document_frequency": " ".join(str(int(number)) for number in (matrix > 0).sum(axis=0).A1),
                "vectors": [
                    " ".join(f"{at}:{value:.9g}" for at, value in zip(row.indices, row.data)) for row in weights
                ],
            }
        )
    return rows


def parts_of_speech(texts: list[str], users: jieba.Tokenizer) -> None:
    """Tokens and their tags, of our own dictionary too, in one string a text: a list of both would be the largest file here."""
    texts = texts + json.loads((ROOT / "python" / "chinese.json").read_text(encoding="utf-8"))
    taggers = {"pos_tag": (jieba.posseg.dt, True), "pos_tag_no_hmm": (jieba.posseg.dt, False), "pos_tag_words": (jieba.posseg.POSTokenizer(users), True)}
    for name, (tagger, hmm) in taggers.items():
        tag = lambda text: "\x1e".join(f"{pair.word}\x1f{pair.flag}" for pair in tagger.cut(text, HMM=hmm))
        write(name, [{"text": text, "tagged": tag(text)} for text in texts])


WORD = r"[\p{L}\p{N}\p{M}_]+"


def stop_words() -> list[str]:
    """What the function stop_words gives for English: a file of the crate stop-words, as Cargo keeps it."""
    release = re.search(r'name = "stop-words"\nversion = "(.+)"', (ROOT / "Cargo.lock").read_text(encoding="utf-8"))[1]
    cargo = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    (path,) = cargo.glob(f"registry/src/*/stop-words-{release}/src/nltk/english")
    return path.read_text(encoding="utf-8").split()


def rake(text: str) -> list[tuple[str, float]]:
    """rake-nltk by our words and stop words; lines are its sentences, and what is neither a word nor white space its punctuation."""
    cut = lambda line: regex.findall(WORD + r"|[^\p{L}\p{N}\p{M}_\s\x1c-\x1f]", line)
    punctuation = {piece for piece in cut(text) + cut(text.lower()) if not regex.fullmatch(WORD, piece)}
    lines = lambda text: regex.split(r"[\n\r\x85\u2028\u2029]", text)
    extractor = Rake(stopwords=set(STOP_WORDS), punctuations=punctuation, sentence_tokenizer=lines, word_tokenizer=cut)
    extractor.extract_keywords_from_text(text)
    # A phrase that occurs again is there again.
    return list({phrase: score for score, phrase in extractor.get_ranked_phrases_with_scores()}.items())


STOP_WORDS = stop_words()


def keywords(texts: list[str]) -> list[dict]:
    """Terms and their scores, best first, ties by term, in one string a text and method."""
    methods = {
        "rake": rake,
        # Both fail where there are no words.
        "textrank": lambda text: text.strip() and jieba.analyse.textrank(text, topK=None, withWeight=True),
        "tfidf": lambda text: text.strip() and jieba.analyse.extract_tags(text, topK=None, withWeight=True),
    }
    order = lambda entry: (-float(f"{entry[1]:.12g}"), entry[0].encode())
    shown = lambda found: "\x1e".join(f"{term}\x1f{score:.9g}" for term, score in sorted(found, key=order))
    return [{"text": text} | {name: shown(method(text)) for name, method in methods.items()} for text in texts]


def collocations(texts: list[str]) -> list[dict]:
    """All bigrams of words between white space: the first, the second, how often, and their information, one string for all."""
    finder = BigramCollocationFinder.from_documents([text.split() for text in texts])
    scores = finder.score_ngrams(BigramAssocMeasures.pmi)
    # Scores that are equal but for what floating point loses are equal.
    scores = sorted(scores, key=lambda entry: (-float(f"{entry[1]:.12g}"), " ".join(entry[0]).encode()))
    shown = (f"{' '.join(bigram)}\x1f{finder.ngram_fd[bigram]}\x1f{score:.9g}" for bigram, score in scores)
    return [{"texts": texts, "bigrams": "\x1e".join(shown)}]


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
    parts_of_speech(texts, users)
    cut = lambda text: [piece.strip() for piece in sentences(text) if piece.strip()]
    read = lambda name: json.loads((ROOT / "python" / f"{name}.json").read_text(encoding="utf-8"))
    prose = read("prose")
    write("keywords", keywords(texts + read("chinese") + prose))
    write("collocations", collocations([text for text in texts + prose if not regex.search("[\x1c-\x1f]", text)]))
    write("sentences", [{"text": text, "tokens": cut(text)} for text in texts])
    normal = lambda text: {form.lower(): unicodedata.normalize(form, text) for form in FORMS}
    write("normalize_text", [{"text": text, **normal(text)} for text in texts])
    write("likeness", likeness(texts))
    for n, most in ((1, 1), (2, 2), (1, 3), (2, 5)):
        pieces = CountVectorizer(ngram_range=(n, most)).build_analyzer()
        write(f"ngrams_{n}_{most}", [{"text": text, "tokens": pieces(text)} for text in texts])
    for n in (1, 3, 40):
        pieces = CountVectorizer(analyzer="char", ngram_range=(n, n), lowercase=False).build_analyzer()
        write(f"char_ngrams_{n}", [{"text": text, "tokens": pieces(text)} for text in texts])
    write("stem", stems(texts))
    plain = lambda text: {"strip_accents": strip_accents_unicode(text), "normalize_whitespace": " ".join(text.split())}
    write("plain", [{"text": text, **plain(text)} for text in texts])
    write("sketches", sketches(texts))
    write("tfidf", tfidf(texts))
    write("vectors", pairs())
    used = ("jieba", "nltk", "numpy", "rake-nltk", "rapidfuzz", "regex", "scikit-learn", "snowballstemmer", "uniseg", "xxhash")
    versions = {"python": platform.python_version(), "unicode of python": unicodedata.unidata_version}
    write("versions", versions | {name: version(name) for name in used})


main()
