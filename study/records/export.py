"""The file formats of `export`. Its columns come from table.py; every number reads back with the same bits.

Learning curves and norms by lag are tables of their own; they are JSON in a text column.
"""

import csv
import io
import json
import sqlite3

from study.errors import SpecError

ORDER = (bool, int, float, str)


def table(rows):
    """[dict] -> ({column: bool, int, float or str}, [tuple]): the union of all rows' columns, None where a row lacks one."""
    columns = {name: None for row in rows for name in row}
    flat = [tuple(_plain(row.get(name)) for name in columns) for row in rows]
    kinds = [{type(value) for value in values if value is not None} for values in zip(*flat, strict=True)]
    return {name: max(kind, key=ORDER.index, default=str) for name, kind in zip(columns, kinds)}, flat


def _plain(value):
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else value


def as_csv(columns, rows):
    """CSV as in RFC 4180, but lines end in \\n. None is an empty field; a float is the shortest text that reads back the same."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
    return text.getvalue().encode()


def as_sqlite(columns, rows):
    """An SQLite database with the table `trials`. Columns of floats have no declared type, since REAL turns -0.0 into 0.0."""
    declared = {bool: "INTEGER", int: "INTEGER", float: "", str: "TEXT"}
    database = sqlite3.connect(":memory:")
    names = ", ".join(f'"{name}" {declared[kind]}' for name, kind in columns.items())
    database.execute(f"CREATE TABLE trials ({names})")
    database.executemany(f"INSERT INTO trials VALUES ({', '.join('?' * len(columns))})", rows)
    database.commit()
    return database.serialize()


def as_parquet(columns, rows):
    """A Parquet file. Raises SpecError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SpecError("--format parquet needs pyarrow, the extra `parquet` of this package: pip install pyarrow") from None
    kinds = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    arrays = [pyarrow.array(values, kinds[kind]) for values, kind in zip(zip(*rows), columns.values())]
    data = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, names=list(columns)), data)
    return data.getvalue()


FORMATS = {"csv": as_csv, "parquet": as_parquet, "sqlite": as_sqlite}
