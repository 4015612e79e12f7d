#!/usr/bin/env python3
"""Reads results.parquet with pandas and DuckDB and compares it with results.csv.

    pip install pandas pyarrow duckdb
    scripts/parquet_check.py results/NAME
"""

import pathlib
import sys

import duckdb
import pandas


def main():
    folder = pathlib.Path(sys.argv[1])
    table, text = pandas.read_parquet(folder / "results.parquet"), pandas.read_csv(folder / "results.csv")
    assert list(table.columns) == list(text.columns)
    for column in text.columns:
        ours, theirs = table[column], text[column]
        assert (ours.isna() == theirs.isna()).all(), column
        ours, theirs = ours.dropna(), theirs.dropna()
        kind = float if pandas.api.types.is_numeric_dtype(ours) else str
        same = ours.astype(kind) == theirs.astype(kind)
        assert same.all(), column
    ((count,),) = duckdb.sql(f"select count(*) from '{folder / 'results.parquet'}'").fetchall()
    assert count == len(text)
    print(f"{count} rows and {len(text.columns)} columns are the same in pandas and DuckDB")


if __name__ == "__main__":
    main()
