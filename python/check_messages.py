"""Holds messages against the schemas of their topic.

    python check_messages.py SCHEMAS FOLDER

FOLDER/NAME.ndjson has one JSON object a line, each held against SCHEMAS/NAME.schema.json (JSON Schema).
FOLDER/NAME.parquet, where it is there, has the same as rows: its columns are those of SCHEMAS/NAME.arrow.json.
Prints how many lines each file has.
"""

import json
import pathlib
import sys

import jsonschema
import pyarrow
from pyarrow import parquet


def arrow_type(field: dict) -> pyarrow.DataType:
    """Reads a type as Arrow's integration tests write it."""
    children = [arrow_field(child) for child in field["children"]]
    match field["type"]:
        case {"name": "utf8"}:
            return pyarrow.string()
        case {"name": "binary"}:
            return pyarrow.binary()
        case {"name": "int", "bitWidth": 64, "isSigned": True}:
            return pyarrow.int64()
        case {"name": "floatingpoint", "precision": "SINGLE"}:
            return pyarrow.float32()
        case {"name": "timestamp", "unit": "MILLISECOND"}:
            return pyarrow.timestamp("ms")
        case {"name": "list"}:
            return pyarrow.list_(children[0])
        case {"name": "struct"}:
            return pyarrow.struct(children)
        case other:
            raise SystemExit(f"{field['name']}: no type {other}")


def arrow_field(field: dict) -> pyarrow.Field:
    return pyarrow.field(field["name"], arrow_type(field), field["nullable"])


def plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    """Returns a type in the encoding that the schemas use: the others are the same to a reader."""
    if pyarrow.types.is_string_view(kind) or pyarrow.types.is_large_string(kind):
        return pyarrow.string()
    if pyarrow.types.is_binary_view(kind) or pyarrow.types.is_large_binary(kind):
        return pyarrow.binary()
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(pyarrow.field("item", plain(kind.value_type)))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, plain(field.type)) for field in kind])
    return kind


def columns(schema: pyarrow.Schema) -> list[tuple]:
    return [(field.name, plain(field.type), field.nullable) for field in schema]


def check(schemas: pathlib.Path, path: pathlib.Path) -> int:
    name = path.stem
    schema = json.loads((schemas / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        for error in validator.iter_errors(json.loads(line)):
            raise SystemExit(f"{path}:{number}: {error.json_path}: {error.message}")
    rows = path.with_suffix(".parquet")
    if rows.exists():
        arrow = json.loads((schemas / f"{name}.arrow.json").read_text())
        expected = columns(pyarrow.schema([arrow_field(field) for field in arrow["fields"]]))
        found = columns(parquet.read_schema(rows))
        if found != expected:
            raise SystemExit(f"{rows}: expected {expected}, found {found}")
    return len(lines)


def main() -> None:
    schemas, folder = (pathlib.Path(argument) for argument in sys.argv[1:3])
    for path in sorted(folder.glob("*.ndjson")):
        print(path.stem, check(schemas, path))


if __name__ == "__main__":
    main()
