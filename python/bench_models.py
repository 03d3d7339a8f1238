"""Compares `embed` with a Python loop over ONNX Runtime and Hugging Face's tokenizers on one machine in one run.

    python bench_models.py LEXSTREAM MODELS     the release binary, and the folder that python/models.py wrote

The corpus is paragraphs of the README files in the local cargo registry. Run by `make bench`.
"""

import glob
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import onnxruntime
import pyarrow
import pyarrow.parquet
import tokenizers

import bench

PARAGRAPHS = 2_000
REPEATS = 2
BATCH = 32
MAX_LENGTH = 256


def paragraphs() -> list[str]:
    """Returns paragraphs of 40 to 4,000 characters, no two the same, in an order of chance."""
    registry = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    found = {}
    for path in sorted(glob.glob(f"{registry}/registry/src/*/*/README.md")):
        with open(path, encoding="utf-8", errors="replace") as file:
            for paragraph in re.split(r"\n\s*\n", file.read()):
                text = " ".join(paragraph.split())
                if 40 <= len(text) <= 4_000:
                    found[text] = None
    texts = list(found)
    random.Random(7).shuffle(texts)
    assert len(texts) >= PARAGRAPHS, f"{len(texts)} paragraphs under {registry}; expected {PARAGRAPHS}"
    return texts[:PARAGRAPHS]


def session(graph: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def python_loop(folder: str, texts: list[str]) -> tuple[float, numpy.ndarray]:
    """Embeds in batches in the order of arrival, padded to the longest, as a careful script does; on all cores."""
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_padding()
    tokenizer.enable_truncation(MAX_LENGTH)
    runner = session(f"{folder}/model.onnx", len(os.sched_getaffinity(0)))

    def embed(some: list[str]) -> numpy.ndarray:
        vectors = []
        for start in range(0, len(some), BATCH):
            encodings = tokenizer.encode_batch(some[start : start + BATCH])
            ids = numpy.array([encoding.ids for encoding in encodings], numpy.int64)
            mask = numpy.array([encoding.attention_mask for encoding in encodings], numpy.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
            states = runner.run(None, inputs)[0]
            weights = mask[:, :, None].astype(numpy.float32)
            pooled = (states * weights).sum(axis=1) / weights.sum(axis=1)
            vectors.append(pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True))
        return numpy.concatenate(vectors)

    embed(texts[: 2 * BATCH])
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        vectors = embed(texts)
        times.append(time.perf_counter() - started)
    return statistics.median(times), vectors


def replay(folder: str, dumped: str, sessions: int, threads: int) -> float:
    """Returns the seconds that ONNX Runtime in Python takes for dumped runs, with as many sessions and threads."""
    runs = []
    for path in sorted(glob.glob(f"{dumped}/run-*.json")):
        with open(path, encoding="utf-8") as file:
            ids = json.load(file)["ids"]
        longest = max(map(len, ids))
        mask = numpy.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids], numpy.int64)
        padded = numpy.array([row + [0] * (longest - len(row)) for row in ids], numpy.int64)
        runs.append({"input_ids": padded, "attention_mask": mask, "token_type_ids": numpy.zeros_like(padded)})
    runners = [session(f"{folder}/model.onnx", threads) for _ in range(sessions)]
    for runner in runners:
        runner.run(None, runs[-1])
    waiting = iter(runs)

    def work(runner) -> None:
        for run in waiting:
            runner.run(None, run)

    times = []
    for _ in range(REPEATS):
        waiting = iter(runs)
        started = time.perf_counter()
        with ThreadPoolExecutor(sessions) as pool:
            list(pool.map(work, runners))
        times.append(time.perf_counter() - started)
    return statistics.median(times)


class Lexstream:
    def __init__(self, binary: str, models: str, home: str) -> None:
        library = next(os.path.join(models, "onnxruntime", name) for name in os.listdir(f"{models}/onnxruntime"))
        self.binary, self.home = binary, home
        self.environment = os.environ | {"LEXSTREAM_HOME": home, "ORT_DYLIB_PATH": library}

    def run(self, script: str, *options: str) -> str:
        command = [self.binary, "sql", *options, "-c", script]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment).stdout

    def seconds(self, query: str, table: str) -> float:
        """Returns the median seconds of a query inside the process, by its own clock, after one that is not counted.

        `t` in the query is the table in memory.
        """
        script = f"CREATE TABLE t AS SELECT * FROM '{table}';" + query * (REPEATS + 1)
        times = [float(found) for found in re.findall(r"rows? in ([0-9.]+) s", self.run(script))]
        return statistics.median(times[-REPEATS:])

    def fastest(self, queries: list[str], table: str) -> list[float]:
        """Returns the fewest seconds of each query, all of them in turn in one process: what else the machine does
        slows some of them, and makes none faster."""
        script = f"CREATE TABLE t AS SELECT * FROM '{table}';" + "".join(queries) * (REPEATS + 1)
        times = [float(found) for found in re.findall(r"rows? in ([0-9.]+) s", self.run(script))]
        times = times[-REPEATS * len(queries) :]
        return [min(times[place :: len(queries)]) for place in range(len(queries))]

    def peak_bytes(self, query: str) -> int:
        """Returns the largest resident size of a query's process."""
        return bench.peak_bytes([self.binary, "sql", "-q", "-c", query], self.environment)

    def resident_bytes(self, queries: list[str]) -> list[int]:
        """Returns the resident size of one process as each query's one row is printed; the last one is at the exit."""
        command = [self.binary, "sql", "-q", "--format", "nd-json", "-c", "".join(queries)]
        sizes = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment) as process:
            for _ in process.stdout:
                with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
                    sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        assert process.returncode == 0 and len(sizes) == len(queries), "a query a line"
        return sizes


def figures(plan: str) -> dict[str, float]:
    """Returns the figures of InferenceExec in EXPLAIN ANALYZE, added up over the plan's operators."""
    lines = [line for line in plan.splitlines() if "InferenceExec" in line]
    assert len(lines) == 1, plan
    line = lines[0]
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([0-9.]+)(?=[,\]])", line)}
    for name, value, unit in re.findall(r"(\w+)=([0-9.]+) ?(K|M|µs|ms|s)(?=[,\]])", line):
        found[name] = float(value) * {"K": 1e3, "M": 1e6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    return found


def main(binary: str, models: str) -> None:
    folder = os.path.join(models, "all-MiniLM-L6-v2")
    cores = len(os.sched_getaffinity(0))
    texts = paragraphs()
    with tempfile.TemporaryDirectory() as scratch:
        table = os.path.join(scratch, "paragraphs.parquet")
        pyarrow.parquet.write_table(pyarrow.table({"id": range(len(texts)), "text": texts}), table)
        lexstream = Lexstream(binary, models, os.path.join(scratch, "home"))
        lexstream.run(f"CREATE MODEL minilm WITH ('path' = '{folder}')")
        peer, expected = python_loop(folder, texts)
        print(f"corpus: {len(texts)} paragraphs, {sum(map(len, texts)) / 1e6:.2f} MB; {cores} cores")
        print(f"Python, batches of {BATCH} in the order of arrival: {peer:.2f} s, {len(texts) / peer:.0f} texts/s")
        vectors = os.path.join(scratch, "vectors.parquet")
        query = f"COPY (SELECT id, embed('minilm', text) AS v FROM t) TO '{vectors}';"
        own = lexstream.seconds(query, table)
        print(f"embed: {own:.2f} s, {len(texts) / own:.0f} texts/s, {peer / own:.2f} x the Python loop")
        written = pyarrow.parquet.read_table(vectors).sort_by("id")["v"].combine_chunks()
        found = numpy.array(written.flatten(), numpy.float32).reshape(len(texts), -1)
        assert (found * expected).sum(axis=1).min() > 0.9999, "the vectors differ from Python's"
        plan = lexstream.run(f"EXPLAIN ANALYZE SELECT embed('minilm', text) FROM '{table}'", "--format", "csv")
        cost = figures(plan)
        print(
            f"padded tokens: {cost['padded_tokens'] / cost['tokens']:.3f} x the real ones ({cost['tokens']:.0f}),"
            f" {cost['runs']:.0f} runs"
        )
        dumped = os.path.join(scratch, "runs")
        lexstream.run(f"ALTER MODEL minilm SET ('dump_runs' = '{dumped}')")
        plan = lexstream.run(f"EXPLAIN ANALYZE SELECT embed('minilm@2', text) FROM '{table}'", "--format", "csv")
        sessions, threads = min(cores, 4), max(1, cores // min(cores, 4))
        peer = replay(folder, dumped, sessions, threads)
        own_model = figures(plan)["model_time"] / sessions
        print(f"the same runs in Python, {sessions} sessions of {threads} threads: {peer:.2f} s; ours {own_model:.2f} s, {peer / own_model:.2f} x")
        parts = " UNION ALL ".join(f"SELECT embed('minilm@1', text) AS v FROM t WHERE id % 8 = {part}" for part in range(8))
        one, together = lexstream.fastest([f"COPY ({part}) TO '{vectors}';" for part in ("SELECT embed('minilm@1', text) AS v FROM t", parts)], table)
        print(f"eight at once, an eighth each: {together:.2f} s, one: {one:.2f} s, {one / together:.2f} x the speed of one")
        few, many = (os.path.join(scratch, name) for name in ("few.parquet", "many.parquet"))
        # Beginnings, for the sake of time, and in every thousand a text of the largest length.
        short = [text if place % 1000 == 0 else text[:60] for place, text in enumerate(sorted(texts, key=len, reverse=True))]
        pyarrow.parquet.write_table(pyarrow.table({"text": short}), few)
        more = [f"{number} {text}" for number in range(10) for text in short]
        pyarrow.parquet.write_table(pyarrow.table({"text": more}), many)
        # A Parquet file's writer would keep the vectors of a whole row group, a million rows: they are looked at and dropped.
        peaks = [
            statistics.median(lexstream.peak_bytes(f"SELECT max(v[1]) FROM (SELECT embed('minilm@1', text) AS v FROM '{path}')") for _ in range(2))
            for path in (few, many)
        ]
        print(f"peak memory: {peaks[0] / 1e6:.0f} MB, with 10 times the rows {peaks[1] / peaks[0]:.2f} x")
        short = f"SELECT max(v[1]) FROM (SELECT embed('minilm@1', text) AS v FROM '{few}' WHERE length(text) <= 60);"
        longest = f"SELECT max(v[1]) FROM (SELECT embed('minilm@1', text) AS v FROM '{few}' ORDER BY length(text) DESC LIMIT 1);"
        sizes = lexstream.resident_bytes([short, short, longest, short, short])
        print(f"resident after short texts: {sizes[1] / 1e6:.0f} MB; after one of the largest length and short ones again: {sizes[3] / 1e6:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
