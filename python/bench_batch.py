"""Compares `lexstream batch` with DuckDB, Polars and `lexstream sql` on one machine in one run: ratios.

    python bench_batch.py LEXSTREAM MODELS     the release binary, and the folder that python/models.py wrote

Run by `make bench-batch`. The corpus is the one of bench.py and, for `embed`, the one of bench_models.py.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet

import bench
import bench_models

ROW_GROUP = 20_000
# How often the texts stand in the corpus, and in the one that memory is compared with.
COPIES = 20
MORE_COPIES = 200
PARAGRAPHS = 1_000
# Rows of numbers.
NUMBERS = 2_000_000
# How often shares of time and memory are measured.
RUNS = 5
# Texts of a page, and their bytes.
LONG_TEXTS, LONG_BYTES = 6, 100_000_000


def write(path: str, texts: list[str], copies: int) -> None:
    """Writes texts with a number each, in row groups of 20,000 rows.

    Each copy begins elsewhere in its texts, so that no text is there twice, and no dictionary has an easy time.
    """
    with pyarrow.parquet.ParquetWriter(path, pyarrow.schema([("id", pyarrow.int64()), ("text", pyarrow.string())]), compression="zstd") as writer:
        for copy in range(copies):
            first = copy * len(texts)
            turned = [text[copy * 3 :] + text[: copy * 3] for text in texts]
            table = pyarrow.table({"id": range(first, first + len(texts)), "text": turned})
            writer.write_table(table, row_group_size=ROW_GROUP)


def write_numbers(path: str) -> None:
    """Writes rows of six whole numbers, from few to many distinct ones, and six with a point, in row groups of a million."""
    random = numpy.random.default_rng(1)
    whole = {f"i{place}": random.integers(0, 10 ** (place + 2), NUMBERS) for place in range(6)}
    points = {f"f{place}": random.normal(size=NUMBERS) for place in range(6)}
    pyarrow.parquet.write_table(pyarrow.table(whole | points), path, compression="zstd")


def shares_of(busy: dict[str, float]) -> dict[str, float]:
    return {what: time / sum(busy.values()) for what, time in busy.items()}


def write_long(path: str, texts: list[str], has_dictionary: bool) -> None:
    """Writes texts of 100 MB, all in one page or, as pyarrow does unless it is told otherwise, in one dictionary."""
    all_texts = "\n".join(texts)
    repeated = all_texts * (LONG_BYTES // len(all_texts) + 2)
    long = [repeated[start : start + LONG_BYTES] for start in range(LONG_TEXTS)]
    table = pyarrow.table({"id": range(LONG_TEXTS), "text": long})
    pyarrow.parquet.write_table(table, path, compression="snappy", use_dictionary=has_dictionary)


class Lexstream:
    def __init__(self, binary: str, models: str, scratch: str) -> None:
        library = next(os.path.join(models, "onnxruntime", name) for name in os.listdir(f"{models}/onnxruntime"))
        self.binary, self.scratch = binary, scratch
        self.environment = os.environ | {"LEXSTREAM_HOME": os.path.join(scratch, "home"), "ORT_DYLIB_PATH": library}

    def batch(self, corpus: str, query: str, *options: str) -> dict:
        """Runs a job into a new folder; returns its summary."""
        output = os.path.join(self.scratch, "out")
        shutil.rmtree(output, ignore_errors=True)
        command = [self.binary, "batch", "--input", corpus, "--output", output, "-c", query, "--format", "json", *options]
        found = subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment)
        return json.loads(found.stdout)

    def sql(self, corpus: str, query: str) -> None:
        """Runs the same query into one file."""
        target = os.path.join(self.scratch, "one.parquet")
        if os.path.exists(target):
            os.remove(target)
        script = f"CREATE VIEW input AS SELECT * FROM '{corpus}'; COPY ({query}) TO '{target}'"
        subprocess.run([self.binary, "sql", "-q", "-c", script], check=True, capture_output=True, env=self.environment)

    def peak_bytes(self, corpus: str, query: str, *options: str) -> int:
        """Returns the largest resident size of a job's process."""
        output = os.path.join(self.scratch, "out")
        shutil.rmtree(output, ignore_errors=True)
        command = [self.binary, "batch", "-q", "--input", corpus, "--output", output, "-c", query, *options]
        return bench.peak_bytes(command, self.environment)


def main(binary: str, models: str) -> None:
    texts = bench.corpus()
    with tempfile.TemporaryDirectory() as scratch:
        corpus, larger = os.path.join(scratch, "corpus.parquet"), os.path.join(scratch, "larger.parquet")
        write(corpus, texts, COPIES)
        write(larger, texts, MORE_COPIES)
        rows, size = COPIES * len(texts), os.path.getsize(corpus)
        print(f"corpus: {rows} rows, {size / 1e6:.0f} MB; {len(os.sched_getaffinity(0))} cores; zstd 3 everywhere")
        lexstream = Lexstream(binary, models, scratch)
        target = os.path.join(scratch, "peer.parquet")

        def by_duckdb() -> None:
            duckdb.sql(f"COPY (SELECT id, text FROM '{corpus}') TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)")

        def by_polars(path: str) -> None:
            polars.scan_parquet(path).sink_parquet(target, compression="zstd", compression_level=3)

        copy = "SELECT id, text FROM input"
        own, duck, pola = (bench.seconds(run) for run in (lambda: lexstream.batch(corpus, copy), by_duckdb, lambda: by_polars(corpus)))
        print(f"read and rewrite: {own:.2f} s; DuckDB {duck:.2f} s, Polars {pola:.2f} s; {min(duck, pola) / own:.2f} x the faster one")
        tokens = "SELECT id, tokenize(text) AS tokens FROM input"
        own, one = bench.seconds(lambda: lexstream.batch(corpus, tokens)), bench.seconds(lambda: lexstream.sql(corpus, tokens))
        print(f"tokenize: {own:.2f} s; lexstream sql into one file {one:.2f} s; {one / own:.2f} x")
        runs = [lexstream.batch(corpus, tokens) for _ in range(RUNS)]
        units, shares = runs[0]["units"], [shares_of(run["busy"]) for run in runs]
        medians = ", ".join(f"{what} {statistics.median(run[what] for run in shares):.1%}" for what in shares[0])
        print(f"tokenize in {units} units of {rows // units} rows, shares of the workers' time, medians of {RUNS} runs: {medians}")
        numbers = os.path.join(scratch, "numbers.parquet")
        write_numbers(numbers)
        all_columns = "SELECT * FROM input"
        own, pola = bench.seconds(lambda: lexstream.batch(numbers, all_columns)), bench.seconds(lambda: by_polars(numbers))
        print(f"read and rewrite {NUMBERS} rows of 12 numbers: {own:.2f} s; Polars into one file {pola:.2f} s; {pola / own:.2f} x")
        paragraphs = bench_models.paragraphs()[:PARAGRAPHS]
        small = os.path.join(scratch, "paragraphs.parquet")
        pyarrow.parquet.write_table(pyarrow.table({"id": range(len(paragraphs)), "text": paragraphs}), small, row_group_size=250)
        model = f"CREATE MODEL minilm WITH ('path' = '{models}/all-MiniLM-L6-v2')"
        subprocess.run([binary, "sql", "-q", "-c", model], check=True, env=lexstream.environment)
        vectors = "SELECT id, embed('minilm', text) AS vector FROM input"
        own, one = bench.seconds(lambda: lexstream.batch(small, vectors)), bench.seconds(lambda: lexstream.sql(small, vectors))
        print(f"embed {len(paragraphs)} paragraphs: {own:.2f} s; lexstream sql into one file {one:.2f} s; {one / own:.2f} x")
        peaks = [max(lexstream.peak_bytes(path, tokens) for _ in range(RUNS)) for path in (corpus, larger)]
        print(f"peak memory, largest of {RUNS} runs: {peaks[0] / 1e6:.0f} MB, with 10 times the rows {peaks[1] / peaks[0]:.2f} x")
        for has_dictionary in (False, True):
            write_long(larger, texts, has_dictionary)
            peak = lexstream.peak_bytes(larger, copy, "--memory", "1g")
            place = "dictionary" if has_dictionary else "page"
            print(f"peak memory of a copy, {LONG_TEXTS} texts of {LONG_BYTES // 1_000_000} MB in one {place}, --memory 1g: {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
