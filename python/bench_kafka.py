"""Compares `lexstream stream` with hand-written programs, on one machine against one broker in one run: ratios.

    python bench_kafka.py LEXSTREAM PEER MODELS JARS     the release binaries, the folder that python/models.py wrote, and Kafka's jars

`--quick` takes fewer messages, once; `--minutes` is how long memory and latency are watched; `--only` names a part: raw, json,
embed, steady. Run by `make bench-kafka`. The peer is integration-tests/kafka-peer: its header says what it does.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import numpy
import pyarrow
import pyarrow.parquet

import bench
import bench_batch
import bench_models
from kafka_broker import Broker

PARTITIONS = 4
# Messages that are timed, by their bytes, and those whose outputs are compared one by one.
MESSAGES = {1000: 600_000, 100: 2_000_000}
CHECKED = 20_000
REPEATS = 3
QUICK = 4
LINES = 5_000
PARAGRAPHS = 2_000
# Seconds at the beginning of the steady load whose latencies are not counted: the broker compiles itself meanwhile.
WARM_UP = 10
# Seconds whose resident sizes are put together.
MINUTE = 60

SCRIPTS = {
    "raw": (
        "CREATE EXTERNAL TABLE input (value BYTEA) STORED AS KAFKA LOCATION '{input}' OPTIONS ('format' 'raw', 'group.id' '{group}');"
        "CREATE EXTERNAL TABLE output (value BYTEA) STORED AS KAFKA LOCATION '{output}' OPTIONS ('format' 'raw');"
        "INSERT INTO output SELECT value FROM input;"
    ),
    "json": (
        "CREATE EXTERNAL TABLE input (id BIGINT, text VARCHAR) STORED AS KAFKA LOCATION '{input}' OPTIONS ('format' 'json', 'group.id' '{group}');"
        "CREATE EXTERNAL TABLE output (id BIGINT, tokens VARCHAR[], n BIGINT) STORED AS KAFKA LOCATION '{output}' OPTIONS ('format' 'json');"
        "INSERT INTO output SELECT id, tokenize(text), token_count(text) FROM input;"
    ),
    "embed": (
        "CREATE EXTERNAL TABLE input (id BIGINT, text VARCHAR) STORED AS KAFKA LOCATION '{input}' OPTIONS ('format' 'json', 'group.id' '{group}');"
        "CREATE EXTERNAL TABLE output (id BIGINT, vector FLOAT[]) STORED AS KAFKA LOCATION '{output}' OPTIONS ('format' 'json');"
        "INSERT INTO output SELECT id, embed('minilm', text) FROM input;"
    ),
}
# What the peer does for each of them.
COMMANDS = {"raw": "copy", "json": "score"}


@dataclass
class Run:
    """A program's way through a topic; messages a second are between the first record and the last, by the broker's clock."""

    speed: float
    processor: float
    seconds: float
    a_transaction: int


def verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def write_lines(path: str, size: int) -> None:
    """Writes JSON messages of so many bytes, a line each."""
    texts = bench.corpus()[:LINES]
    with open(path, "w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            text = f"{text} {texts[number - 1]} {texts[number - 2]}"
            room = size - len(json.dumps({"id": number, "text": ""}, separators=(",", ":")))
            file.write(json.dumps({"id": number, "text": text[:room]}, separators=(",", ":")) + "\n")


class Streams:
    def __init__(self, broker: Broker, peer: str, lexstream: bench_batch.Lexstream, scratch: str) -> None:
        self.broker, self.peer_binary, self.lexstream, self.scratch = broker, peer, lexstream, scratch
        self.made = 0

    def peer_command(self, *arguments: object) -> list[str]:
        return [self.peer_binary, self.broker.address, *map(str, arguments)]

    def peer(self, *arguments: object) -> str:
        """Runs a command of the peer; returns what it prints."""
        return subprocess.run(self.peer_command(*arguments), check=True, stdout=subprocess.PIPE, text=True).stdout

    def topic(self, *settings: str) -> str:
        """Makes a topic."""
        self.made += 1
        name = f"topic-{self.made}"
        self.peer("create", name, PARTITIONS, *settings)
        return name

    def filled(self, lines: str, count: int) -> str:
        name = self.topic()
        self.peer("fill", name, lines, count)
        return name

    def script(self, kind: str, source: str, target: str) -> str:
        place = f"kafka://{self.broker.address}"
        return SCRIPTS[kind].format(input=f"{place}/{source}", output=f"{place}/{target}", group=f"group-of-{target}")

    def stream_command(self, kind: str, source: str, target: str, *options: str) -> list[str]:
        return [self.lexstream.binary, "stream", "--log-level", "warn", *options, "-c", self.script(kind, source, target)]

    def timed(self, command: list[str], target: str, count: int) -> Run:
        """Runs a program that fills a topic with so many records."""
        began = time.monotonic()
        process = subprocess.Popen(command, env=self.lexstream.environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        # Popen is not asked again: the process is gone.
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{command} ended with {process.returncode}"
        span = json.loads(self.peer("span", target))
        assert span["records"] == count, f"{command}: {span['records']} records, expected {count}"
        return Run(
            speed=count / max(span["last"] - span["first"], 1) * 1000,
            processor=usage.ru_utime + usage.ru_stime,
            seconds=seconds,
            a_transaction=round(count / max(span["transactions"], 1)),
        )

    def by_lexstream(self, kind: str, source: str, count: int) -> Run:
        target = self.topic("message.timestamp.type=LogAppendTime")
        run = self.timed(self.stream_command(kind, source, target, "--until-end"), target, count)
        self.peer("delete", target)
        return run

    def by_peer(self, kind: str, source: str, count: int, a_transaction: int) -> Run:
        target = self.topic("message.timestamp.type=LogAppendTime")
        threads = [len(os.sched_getaffinity(0))] if kind == "json" else []
        command = self.peer_command(COMMANDS[kind], source, target, f"group-of-{target}", a_transaction, *threads)
        run = self.timed(command, target, count)
        self.peer("delete", target)
        return run

    def check(self, kind: str, lines: str) -> None:
        """Compares every output of a small topic with what it should be, for Lexstream and for the peer."""
        source = self.filled(lines, CHECKED)
        for is_peer in (False, True):
            target = self.topic()
            if is_peer:
                threads = [2] if kind == "json" else []
                self.peer(COMMANDS[kind], source, target, f"group-of-{target}", 5_000, *threads)
            else:
                command = self.stream_command(kind, source, target, "--until-end")
                subprocess.run(command, check=True, env=self.lexstream.environment)
            found = int(self.peer("check", COMMANDS[kind], source, target))
            assert found == CHECKED, f"{found} messages were compared, expected {CHECKED}"
            self.peer("delete", target)
        self.peer("delete", source)

    def compare(self, kind: str, lines: str, size: int, count: int, repeats: int) -> float:
        """Prints how Lexstream and the peer compare; returns Lexstream's messages a second."""
        self.check(kind, lines)
        source = self.filled(lines, count)
        pairs = []
        for _ in range(repeats):
            own = self.by_lexstream(kind, source, count)
            pairs.append((own, self.by_peer(kind, source, count, own.a_transaction)))
        self.peer("delete", source)
        ratio = statistics.median(own.speed / peer.speed for own, peer in pairs)
        ratios = ", ".join(f"{own.speed / peer.speed:.2f}" for own, peer in pairs)
        own, peer = (statistics.median(pair[which].speed for pair in pairs) for which in (0, 1))
        costs = [statistics.median(pair[which].processor / count for pair in pairs) * 1e6 for which in (0, 1)]
        transaction = statistics.median(own.a_transaction for own, _ in pairs)
        print(
            f"{kind}, {size} bytes: {own:,.0f} messages/s, {own * size / 1e6:.0f} MB/s, {transaction:,.0f} messages a transaction;"
            f" by hand {peer:,.0f}: {ratio:.2f} x of {ratios}; target 0.9 at 1000 bytes: {verdict(ratio >= 0.9)};"
            f" processor time a message {costs[0]:.1f} µs, by hand {costs[1]:.1f} µs",
            flush=True,
        )
        return own

    def embed(self, count: int, repeats: int) -> None:
        """Prints how `embed` over a topic compares with `embed` over Parquet: whole processes, the model's loading included."""
        texts = bench_models.paragraphs()[:PARAGRAPHS]
        texts = [texts[number % PARAGRAPHS][number // PARAGRAPHS :] for number in range(count)]
        lines, corpus = (os.path.join(self.scratch, name) for name in ("paragraphs.ndjson", "paragraphs.parquet"))
        with open(lines, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts))
        pyarrow.parquet.write_table(pyarrow.table({"id": range(count), "text": texts}), corpus, row_group_size=500)
        query = "SELECT id, embed('minilm', text) AS vector FROM input"
        source = self.filled(lines, count)
        pairs = []
        for _ in range(repeats):
            began = time.monotonic()
            self.lexstream.batch(corpus, query)
            batch = time.monotonic() - began
            target = self.topic()
            stream = self.timed(self.stream_command("embed", source, target, "--until-end"), target, count)
            pairs.append((stream.seconds, batch))
        self.compare_vectors(target, count)
        ratio = statistics.median(batch / stream for stream, batch in pairs)
        ratios = ", ".join(f"{batch / stream:.2f}" for stream, batch in pairs)
        own, batch = (count / statistics.median(pair[which] for pair in pairs) for which in (0, 1))
        print(f"embed: {own:,.0f} messages/s, over Parquet {batch:,.0f}: {ratio:.2f} x of {ratios}; target 0.9: {verdict(ratio >= 0.9)}", flush=True)

    def compare_vectors(self, topic: str, count: int) -> None:
        """Compares the vectors of a topic with those that the last batch job wrote."""
        written = pyarrow.parquet.read_table(os.path.join(self.scratch, "out"), columns=["id", "vector"])
        read = os.path.join(self.scratch, "vectors.parquet")
        table = f"CREATE EXTERNAL TABLE output (id BIGINT, vector FLOAT[]) STORED AS KAFKA LOCATION 'kafka://{self.broker.address}/{topic}' OPTIONS ('format' 'json');"
        script = f"{table} COPY (SELECT id, vector FROM output) TO '{read}'"
        subprocess.run([self.lexstream.binary, "sql", "-q", "-c", script], check=True, stdout=subprocess.DEVNULL, env=self.lexstream.environment)

        def vectors(found: pyarrow.Table) -> numpy.ndarray:
            found = found.sort_by("id")
            assert found["id"].to_pylist() == list(range(count)), "each id once"
            return numpy.array(found["vector"].combine_chunks().flatten(), numpy.float32).reshape(count, -1)

        apart = numpy.abs(vectors(written) - vectors(pyarrow.parquet.read_table(read))).max()
        assert apart < 1e-5, f"vectors over Kafka and over Parquet are {apart} apart"

    def steady(self, lines: str, rate: float, minutes: float) -> None:
        """Prints latency and memory under a steady load of JSON messages."""
        settings = ("retention.bytes=64000000", "segment.bytes=16000000", "file.delete.delay.ms=1000")
        source, target = self.topic(*settings), self.topic(*settings)
        process = subprocess.Popen(self.stream_command("json", source, target), env=self.lexstream.environment)
        load = subprocess.Popen(self.peer_command("load", source, target, lines, rate, minutes * 60, WARM_UP), stdout=subprocess.PIPE, text=True)
        sizes = []
        try:
            while load.poll() is None:
                assert process.poll() is None, f"lexstream stream ended with {process.returncode}"
                with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
                    sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
                time.sleep(1)
            assert load.returncode == 0, f"the load ended with {load.returncode}"
            process.send_signal(signal.SIGTERM)
            ended = process.wait(20)
            assert ended == 0, f"lexstream stream ended with {ended} after SIGTERM"
        finally:
            for started in (process, load):
                if started.poll() is None:
                    started.kill()
                    started.wait()
        found = json.loads(load.stdout.read())
        print(
            f"latency at {rate:,.0f} messages/s, half the maximal load, linger 10 ms: p50 {found['p50']} ms, p99 {found['p99']} ms,"
            f" p99.9 {found['p999']} ms, at most {found['max']} ms, of {found['messages']:,} messages; target p99 at most 250 ms: {verdict(found['p99'] <= 250)}"
        )
        sizes = sizes[: int(minutes * 60)]
        if len(sizes) < 3 * MINUTE:
            print(f"memory: {sizes[-1] / 1e6:.0f} MB resident at the end; its growth takes at least 3 minutes to be seen", flush=True)
            return
        # The largest size of a minute: what was given back to the system in one second is asked for in the next. One burst makes
        # it; the median beside it says what the process keeps.
        seconds = sizes[MINUTE : 2 * MINUTE], sizes[-MINUTE:]
        (second, last), medians = ([of(of_minute) for of_minute in seconds] for of in (max, statistics.median))
        growth = last / second - 1
        print(
            f"memory: {second / 1e6:.0f} MB resident in the second minute, {last / 1e6:.0f} MB in the last of {minutes:g}: {growth:+.1%};"
            f" target at most +5%: {verdict(growth <= 0.05)}; medians {medians[0] / 1e6:.0f} MB and {medians[1] / 1e6:.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("lexstream", "peer", "models", "jars"):
        parser.add_argument(name)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--only", choices=["raw", "json", "embed", "steady"])
    given = parser.parse_args()
    # The broker ends with the benchmark, whatever ends that.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    share, repeats = (QUICK, 1) if given.quick else (1, REPEATS)
    is_wanted = lambda part: given.only in (None, part)
    with tempfile.TemporaryDirectory(prefix="bench-kafka-") as scratch:
        lexstream = bench_batch.Lexstream(given.lexstream, given.models, scratch)
        lines = {size: os.path.join(scratch, f"messages-{size}.ndjson") for size in MESSAGES}
        for size, path in lines.items():
            write_lines(path, size)
        data = os.path.join(scratch, "kafka")
        os.mkdir(data)
        with Broker(given.jars, data) as broker:
            streams = Streams(broker, given.peer, lexstream, scratch)
            print(f"{len(os.sched_getaffinity(0))} cores, the broker's among them; {PARTITIONS} partitions", flush=True)
            fastest = None
            for kind in ("raw", "json"):
                for size, count in MESSAGES.items():
                    # The steady load is half of what this finds.
                    if is_wanted(kind) or (kind, size, given.only) == ("json", 1000, "steady"):
                        speed = streams.compare(kind, lines[size], size, count // share, repeats)
                        if (kind, size) == ("json", 1000):
                            fastest = speed
            if is_wanted("embed"):
                model = f"CREATE MODEL minilm WITH ('path' = '{given.models}/all-MiniLM-L6-v2')"
                subprocess.run([given.lexstream, "sql", "-q", "-c", model], check=True, env=lexstream.environment)
                streams.embed(PARAGRAPHS * 2 // share, repeats)
            if is_wanted("steady"):
                streams.steady(lines[1000], fastest / 2, given.minutes)


if __name__ == "__main__":
    main()
