"""Reads a Parquet file, or a folder of them, with pyarrow, DuckDB and Polars and prints the rows of each as JSON."""

import json
import sys
from pathlib import Path

import duckdb
import polars
import pyarrow.parquet


def main(path: str) -> None:
    # DuckDB's own conversion to Python keeps its nested types; fetching by name makes dictionaries of rows.
    files = f"{path}/*.parquet" if Path(path).is_dir() else path
    duck = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [files])
    names = [column[0] for column in duck.description]
    rows = {
        "pyarrow": pyarrow.parquet.read_table(path).to_pylist(),
        "duckdb": [dict(zip(names, row)) for row in duck.fetchall()],
        "polars": polars.read_parquet(files).to_dicts(),
    }
    json.dump(rows, sys.stdout, ensure_ascii=False, default=list)


main(sys.argv[1])
