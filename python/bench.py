"""Compares `lexstream sql` with scikit-learn on one machine in one run: ratios, at one and at all cores.

Usage: bench.py LEXSTREAM, the release binary. Run by `make bench`.
"""

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

import pyarrow
import pyarrow.parquet
from sklearn.feature_extraction.text import CountVectorizer

ROWS = 20_000
WORDS_A_ROW = 100
REPEATS = 5
# How often the rows stand in the table that is timed, and in the one that memory is compared with.
COPIES = 5
MORE_COPIES = 50


def corpus() -> list[str]:
    """Returns English-like texts: words of our own with the lengths and the skewed frequencies of English."""
    choose = random.Random(7)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14]
    shares = [3, 17, 21, 16, 11, 9, 8, 6, 4, 3, 1, 1]
    weights = [1 / (1 + rank) ** 0.5 for rank in range(len(letters))]
    words = [
        "".join(choose.choices(letters, weights, k=choose.choices(lengths, shares)[0])) for _ in range(20_000)
    ]
    frequencies = [1 / (rank + 2.7) for rank in range(len(words))]
    texts = []
    for _ in range(ROWS):
        row = choose.choices(words, frequencies, k=WORDS_A_ROW)
        marks = choose.choices(["", ",", ".", "'s"], [85, 8, 5, 2], k=WORDS_A_ROW)
        texts.append(" ".join(word + mark for word, mark in zip(row, marks)).capitalize())
    return texts


def write(path: str, texts: list[str], copies: int) -> None:
    table = pyarrow.table({"text": texts})
    with pyarrow.parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(copies):
            writer.write_table(table, row_group_size=4096)


def seconds(run) -> float:
    """Returns the median of several runs, after one that is not counted."""
    run()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def query_seconds(binary: str, query: str, file: str, threads: int) -> float:
    """Returns the seconds of a query inside the process, by its own clock, on as many cores as it has threads.

    `t` in the query is the table in memory; `file` is read anew each time, from the system's cache.
    """
    cores = sorted(os.sched_getaffinity(0))
    script = f"CREATE TABLE t AS SELECT text FROM '{file}';" if "FROM t;" in query else ""
    script += query.replace("{file}", f"'{file}'") * (REPEATS + 1)
    os.sched_setaffinity(0, cores[:threads])
    try:
        arguments = [binary, "sql", "--set", f"datafusion.execution.target_partitions={threads}", "-c", script]
        printed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    finally:
        os.sched_setaffinity(0, cores)
    times = [float(found) for found in re.findall(r"rows? in ([0-9.]+) s", printed)]
    assert len(times) >= REPEATS + 1, printed
    return statistics.median(times[-REPEATS:])


def peak_bytes(command: list[str], environment: dict[str, str] | None = None) -> int:
    """Returns the largest resident size of a process.

    A small process starts it: Linux counts the starting process's size too, and ours holds the corpus.
    """
    code = (
        "import os, subprocess, sys; child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL);"
        " _, status, usage = os.wait4(child.pid, 0); print(usage.ru_maxrss * 1024); sys.exit(status != 0)"
    )
    starter = [sys.executable, "-S", "-E", "-c", code, *command]
    return int(subprocess.run(starter, check=True, capture_output=True, text=True, env=environment).stdout)


def main(binary: str) -> None:
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        file, large = os.path.join(folder, "corpus.parquet"), os.path.join(folder, "large.parquet")
        texts = corpus()
        write(file, texts, COPIES)
        analyse = CountVectorizer().build_analyzer()
        tokens = sum(len(analyse(text)) for text in texts)
        megabytes = sum(map(len, texts)) / 1e6
        peer = megabytes / seconds(lambda: [analyse(text) for text in texts])
        megabytes *= COPIES
        query = f"SELECT sum(token_count(text, 'sklearn')), sum(array_length(tokenize(text, 'sklearn'))) FROM '{file}'"
        found = subprocess.run([binary, "sql", "--format", "csv", "-c", query], check=True, capture_output=True, text=True)
        expected = f"{tokens * COPIES},{tokens * COPIES}"
        assert found.stdout.splitlines()[1] == expected, f"{found.stdout}: scikit-learn has {expected}"
        print(f"corpus: {ROWS * COPIES} rows, {megabytes:.1f} MB; scikit-learn's analyser: {peer:.1f} MB/s, one core")
        queries = {
            "token_count(text, 'sklearn')": "SELECT sum(token_count(text, 'sklearn')) FROM t;",
            "tokenize(text, 'sklearn')": "SELECT sum(array_length(tokenize(text, 'sklearn'))) FROM t;",
            "tokenize(text, 'word')": "SELECT sum(array_length(tokenize(text, 'word'))) FROM t;",
            "tokenize(text, 'whitespace')": "SELECT sum(array_length(tokenize(text, 'whitespace'))) FROM t;",
        }
        for threads in dict.fromkeys([1, cores]):
            for name, query in queries.items():
                speed = megabytes / query_seconds(binary, query, file, threads)
                print(f"{threads} cores  {name:<30} {speed:6.0f} MB/s  {speed / peer:6.1f} x scikit-learn's analyser")
            scan = query_seconds(binary, "SELECT sum(octet_length(text)) FROM {file};", file, threads)
            both = query_seconds(binary, queries["tokenize(text, 'sklearn')"].replace(" t;", " {file};"), file, threads)
            print(
                f"{threads} cores  scan of the Parquet column: {megabytes / scan:.0f} MB/s;"
                f" with tokenize(text, 'sklearn'): {megabytes / both:.0f} MB/s, {scan / both:.0%} of it"
            )
        first = seconds(lambda: subprocess.run([binary, "sql", "-c", "SELECT 1"], check=True, capture_output=True))
        print(f"lexstream sql -c 'SELECT 1', whole process: {first * 1000:.0f} ms")
        write(large, texts, MORE_COPIES)
        for query in ("SELECT sum(array_length(tokenize(text, 'sklearn'))) FROM '{}'", "SELECT tokenize(text) FROM '{}'"):
            peaks = [statistics.median(peak_bytes([binary, "sql", "--format", "csv", "-c", query.format(path)]) for _ in range(3)) for path in (file, large)]
            print(
                f"peak memory, {query}: {peaks[0] / 1e6:.0f} MB,"
                f" with {MORE_COPIES // COPIES} times the rows {peaks[1] / peaks[0]:.2f} x"
            )


if __name__ == "__main__":
    main(sys.argv[1])
