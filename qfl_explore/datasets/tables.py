"""Tables of numbers from text files; a bad line is named and does not lose the others."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from qfl_explore.datasets.base import Problem
from qfl_explore.errors import invalid


def read_numbers(
    path: Path, header: bool = True, delimiter: str | None = ",", n_columns: int | None = None, at: str = ""
) -> tuple[list[str], np.ndarray, tuple[Problem, ...]]:
    """Reads a table in which every cell is a number.

    Args:
        path: UTF-8 text, with or without byte-order mark.
        header: whether the first line has the columns' names.
        delimiter: between cells; ``None`` for any white space.
        n_columns: how many there must be; ``None`` for as many as the first line has.
        at: what problems call the file; its name by default.

    Returns:
        Names (empty without a header), values [rows, columns] in which bad lines are all NaN, and the problems.

    Raises:
        ValueError: the file is empty, is no text, or its first line has another number of columns.
    """
    text = _text(path)
    lines = text.splitlines()
    if not lines:
        raise invalid(f"{path.name} is empty", "a table of numbers", "no line")
    first = _cells(lines[0], delimiter)
    wanted = len(first) if n_columns is None else n_columns
    if len(first) != wanted:
        raise invalid(f"{path.name} has the wrong number of columns", f"{wanted}", f"{len(first)} in its first line")
    values = _fast(text, header, delimiter, wanted)
    if values is not None:
        return (first if header else []), values, ()
    values, problems = _slow(lines, header, delimiter, wanted, at or path.name)
    return (first if header else []), values, problems


def _text(path: Path) -> str:
    """The text of a file, unpacked where its name ends in .gz."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise invalid(f"{path.name} is damaged", "a complete gzip file", f"{error}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid(f"{path.name} is no text in UTF-8", "a table of numbers", f"byte {error.start}") from None


def _fast(text: str, header: bool, delimiter: str | None, n_columns: int) -> np.ndarray | None:
    """All numbers at once; ``None`` where a line needs a closer look."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty table is answered below
        try:
            values = np.loadtxt(
                io.StringIO(text), delimiter=delimiter, skiprows=int(header), ndmin=2, comments=None, quotechar='"'
            )
        except ValueError:
            return None
    usable = values.size and values.shape[1] == n_columns and np.isfinite(values).all()
    return values if usable else None


def _slow(
    lines: list[str], header: bool, delimiter: str | None, n_columns: int, name: str
) -> tuple[np.ndarray, tuple[Problem, ...]]:
    rows, problems = [], []
    for number, line in enumerate(lines[int(header) :], start=1 + int(header)):
        if not line.strip():
            continue
        row, fault = _row(_cells(line, delimiter), n_columns)
        rows.append(row)
        if fault:
            problems.append(Problem(name, f"line {number}", fault))
    return np.array(rows, dtype=np.float64).reshape(-1, n_columns), tuple(problems)


def _row(cells: list[str], n_columns: int) -> tuple[list[float], str]:
    nothing = [np.nan] * n_columns
    if len(cells) != n_columns:
        return nothing, f"{len(cells)} cells instead of {n_columns}"
    values = []
    for column, cell in enumerate(cells, start=1):
        try:
            value = float(cell)
        except ValueError:
            return nothing, f"cell {column} is {cell.strip()[:40]!r}, not a number"
        if not np.isfinite(value):
            return nothing, f"cell {column} is {cell.strip()}, not a finite number"
        values.append(value)
    return values, ""


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def one_hot_class(values: np.ndarray) -> np.ndarray:
    """[N] index of the only 1 in each row of [N, classes]; -1 where a row has none or several."""
    single = (np.isin(values, (0, 1)).all(axis=1)) & (values.sum(axis=1) == 1)
    return np.where(single, values.argmax(axis=1), -1)


def grouped(
    values: np.ndarray, names: list[str] | tuple[str, ...], groups: Mapping[str, tuple[str, ...]]
) -> tuple[np.ndarray, ...]:
    """Columns of a table by modality.

    Args:
        values: [N, columns].
        names: of the columns.
        groups: modality → names of its columns.

    Returns:
        One array [N, d_m] a modality.
    """
    return tuple(values[:, [names.index(name) for name in columns]] for columns in groups.values())
