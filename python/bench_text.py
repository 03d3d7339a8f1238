"""Compares the text library with scikit-learn, jieba and datasketch on one machine in one run: ratios, at one and at all cores.

Usage: bench_text.py LEXSTREAM, the release binary. Run by `make bench`. Peers work on one core, on texts that are in memory.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

import jieba
import jieba.posseg
import pyarrow
import pyarrow.parquet
from datasketch import MinHash
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

import bench

# Texts of a peer that is slow, out of the corpus; speeds are by the megabyte.
FEW = 1_000
CHINESE_ROWS = 4_000
CHINESE_WORDS = 60
COPIES = 5
ROUNDS = 5
HASHES = 128
FIT = "CREATE OR REPLACE MODEL bench WITH ('kind' = 'tfidf') AS SELECT text FROM '{}';"


def chinese() -> list[str]:
    """Returns Chinese-like texts: jieba's words by their frequencies, with punctuation and some names that it does not know."""
    jieba.initialize()
    choose = random.Random(7)
    frequent = [(word, count) for word, count in jieba.dt.FREQ.items() if count > 0 and re.fullmatch(r"[\u4e00-\u9fff]+", word)]
    words, counts = zip(*frequent)
    surnames, given = "王李张刘陈杨黄赵吴周", "伟芳娜敏静丽强磊洋艳勇军杰娟涛"
    texts = []
    for _ in range(CHINESE_ROWS):
        row = choose.choices(words, counts, k=CHINESE_WORDS)
        for place in range(0, CHINESE_WORDS, 12):
            row[place] = choose.choice(surnames) + "".join(choose.choices(given, k=2))
        marks = choose.choices(["", "，", "。"], [88, 8, 4], k=CHINESE_WORDS)
        texts.append("".join(word + mark for word, mark in zip(row, marks)))
    return texts


def megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def once(run) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


class Text:
    def __init__(self, binary: str, folder: str) -> None:
        self.binary, self.folder = binary, folder
        self.cores = len(os.sched_getaffinity(0))
        self.environment = os.environ | {"LEXSTREAM_HOME": os.path.join(folder, "home")}

    def file(self, name: str, texts: list[str], copies: int) -> str:
        path = os.path.join(self.folder, f"{name}.parquet")
        bench.write(path, texts, copies)
        return path

    def compare(self, query: str, file: str, size: float, name: str, run, texts: list[str], bar: float) -> None:
        """Prints how many times as fast a query over so many megabytes is as a peer over these texts; the bar is for one core.

        Both are timed in turn, and the median of the rounds' ratios counts: what else the machine does slows both.
        """
        counts = list(dict.fromkeys([1, self.cores]))
        peers, speeds = [], {threads: [] for threads in counts}
        run(texts)
        for _ in range(ROUNDS):
            peers.append(megabytes(texts) / once(lambda: run(texts)))
            for threads in counts:
                speeds[threads].append(size / bench.query_seconds(self.binary, query, file, threads))
        for threads in counts:
            times = statistics.median(ours / peer for ours, peer in zip(speeds[threads], peers))
            target = f"; target {bar:g} x: {verdict(times >= bar)}" if threads == 1 else ""
            print(
                f"{threads} cores  {query:<76} {statistics.median(speeds[threads]):7.1f} MB/s  {times:6.1f} x {name}"
                f" at {statistics.median(peers):.2f} MB/s{target}",
                flush=True,
            )

    def run(self, script: str) -> None:
        subprocess.run([self.binary, "sql", "-q", "-c", script], check=True, env=self.environment, stdout=subprocess.DEVNULL)

    def fit(self, texts: list[str]) -> None:
        """Prints how fitting and transforming compare, in time and in memory, and how fitting grows."""
        file, large = self.file("fit", texts, COPIES), self.file("fit-large", texts, 10 * COPIES)
        both = FIT.format(file) + f"SELECT sum(array_length(tfidf('bench', text)['indices'])) FROM '{file}'"
        rounds = [(bench.seconds(lambda: self.run(both)), once(lambda: TfidfVectorizer().fit_transform(texts * COPIES))) for _ in range(3)]
        times = statistics.median(theirs / ours for ours, theirs in rounds)
        ours, theirs = (statistics.median(seconds) for seconds in zip(*rounds))
        print(f"{self.cores} cores  tfidf: fit and transform {ours:.2f} s, whole processes; TfidfVectorizer {theirs:.2f} s: {times:.1f} x; target 10 x: {verdict(times >= 10)}")
        code = (
            "import sys, pyarrow.parquet; from sklearn.feature_extraction.text import TfidfVectorizer;"
            " TfidfVectorizer().fit_transform(pyarrow.parquet.read_table(sys.argv[1])['text'].to_pylist())"
        )
        peaks = [
            statistics.median(bench.peak_bytes(command, self.environment) for _ in range(3))
            for command in ([self.binary, "sql", "-q", "-c", both], [sys.executable, "-c", code, file])
        ]
        share = peaks[0] / peaks[1]
        print(f"peak memory of that: {peaks[0] / 1e6:.0f} MB, with TfidfVectorizer {peaks[1] / 1e6:.0f} MB: {share:.2f} of it; target 0.33: {verdict(share <= 1 / 3)}")
        single, ten = (bench.seconds(lambda path=path: self.run(FIT.format(path))) for path in (file, large))
        print(f"fitting {single:.2f} s, ten times the corpus {ten:.2f} s: {ten / single:.1f} x; target 11 x at most: {verdict(ten / single <= 11)}", flush=True)

    def profile(self, texts: list[str]) -> None:
        """Prints the speed of `lexstream profile`, as a whole process on one core."""
        file = self.file("profile", texts, 4 * COPIES)
        command = ["taskset", "-c", "0", self.binary, "profile", file]
        took = bench.seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=self.environment))
        speed = megabytes(texts) * 4 * COPIES / took
        print(f"1 core   lexstream profile: {speed:.0f} MB/s, whole process; target 50 MB/s: {verdict(speed >= 50)}", flush=True)


def minhashes(texts: list[str]) -> None:
    for text in texts:
        sketch = MinHash(num_perm=HASHES)
        sketch.update_batch([word.encode() for word in text.split()])


def main(binary: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = Text(binary, folder)
        english, mandarin = bench.corpus(), chinese()
        file, size = text.file("english", english, COPIES), megabytes(english) * COPIES
        count = "SELECT sum(array_length({})) FROM t;".format
        bag = count("bag_of_words(tokenize(text, 'sklearn'))")
        text.compare(bag, file, size, "CountVectorizer", CountVectorizer().fit_transform, english, 20)
        hash_ = "SELECT sum(array_length(hash_vector(tokenize(text, 'sklearn'), 1048576)['indices'])) FROM t;"
        text.compare(hash_, file, size, "HashingVectorizer", HashingVectorizer().transform, english, 10)
        sketch = f"SELECT sum(minhash(tokenize(text, 'whitespace'), {HASHES})[1]) FROM t;"
        text.compare(sketch, file, size, "datasketch", minhashes, english[:FEW], 10)
        text.fit(english)
        file, size = text.file("chinese", mandarin, COPIES), megabytes(mandarin) * COPIES
        # Cut alike, or the speeds say nothing.
        found = subprocess.run(
            [binary, "sql", "-q", "--format", "nd-json", "-c", f"SELECT tokenize(text, 'jieba') AS words FROM '{file}' LIMIT 100"],
            check=True, capture_output=True, text=True,
        ).stdout
        same = sum(json.loads(line)["words"] == jieba.lcut(row) for line, row in zip(found.splitlines(), mandarin))
        print(f"jieba: {same} of 100 texts are cut alike")
        cut = lambda texts: [jieba.lcut(row) for row in texts]
        text.compare(count("tokenize(text, 'jieba')"), file, size, "jieba", cut, mandarin[:FEW], 40)
        tag = lambda texts: [jieba.posseg.lcut(row) for row in texts]
        text.compare(count("pos_tag(text)"), file, size, "jieba.posseg", tag, mandarin[: FEW // 5], 30)
        text.profile(english)


if __name__ == "__main__":
    main(sys.argv[1])
