"""Reads a Parquet file with pyarrow, DuckDB and Polars and prints the rows of each as JSON."""

import json
import sys

import duckdb
import polars
import pyarrow.parquet


def main(path: str) -> None:
    # DuckDB's own conversion to Python keeps its nested types; fetching by name makes dictionaries of rows.
    duck = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [path])
    names = [column[0] for column in duck.description]
    rows = {
        "pyarrow": pyarrow.parquet.read_table(path).to_pylist(),
        "duckdb": [dict(zip(names, row)) for row in duck.fetchall()],
        "polars": polars.read_parquet(path).to_dicts(),
    }
    json.dump(rows, sys.stdout, ensure_ascii=False, default=list)


main(sys.argv[1])
