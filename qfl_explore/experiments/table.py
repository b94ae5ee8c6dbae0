"""Columns of a CSV file that a user uploads: read with care, scaled to radians by a stated map."""

from __future__ import annotations

import csv
import dataclasses
import difflib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qfl_explore.errors import invalid

MAX_BYTES = 5_000_000
MAX_ROWS = 20_000
MIN_ROWS = 8
MAX_COLUMNS = 256
#: Characters of a column's name.
MAX_NAME = 100
#: The angles of a feature's smallest and largest value, unless the caller says otherwise.
HALF_PERIOD = (-np.pi / 2, np.pi / 2)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Columns of a CSV file, the features as angles.

    Attributes:
        features: [N, F] float64, radians.
        target: [N] float64, as in the file.
        names: F feature names in the order of the columns of ``features``, then the target's.
        source: the file's name, for messages.
        domain: the angles (radians) between which the features lie.
    """

    features: np.ndarray
    target: np.ndarray
    names: tuple[str, ...]
    source: str
    domain: tuple[float, float]

    @property
    def n_features(self) -> int:
        """F."""
        return self.features.shape[1]

    @property
    def target_name(self) -> str:
        """The target's column."""
        return self.names[-1]

    def describe(self) -> str:
        """``file.csv (120 rows; features a, b)``."""
        shown = ", ".join(self.names[:-1][:4]) + (", …" if self.n_features > 4 else "")
        return f"{self.source} ({len(self.target)} rows; features {shown})"

    @property
    def scaling(self) -> str:
        """How values became angles, in one sentence for a page."""
        low, high = self.domain
        return (
            "Each feature goes linearly from its smallest to its largest value in the file "
            f"(test rows included) onto {low:.4g} to {high:.4g} rad."
        )


def read_table(
    source: bytes | str | Path,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    name: str | None = None,
    domain: tuple[float, float] = HALF_PERIOD,
) -> Table:
    """Reads a CSV file with a header row.

    Comma, semicolon and tab separate cells; with semicolons or tabs a decimal comma is understood.
    UTF-8 (a byte order mark does no harm), UTF-16 with a byte order mark, else Windows-1252.

    Args:
        source: the file's bytes, or its path.
        target: the column to predict; ``None`` for the last.
        features: the columns to predict from; ``None`` for all others.
        name: what messages call the file; ``None`` for the path's name.
        domain: the angles (radians) that each feature's smallest and largest value become. Half a
            period, the default, keeps the two apart for every signal; on a whole one they meet.

    Returns:
        A `Table`.

    Raises:
        TypeError: ``source`` is neither bytes nor a path.
        ValueError: the file is too large, too short or not a table, a column is missing, double or
            constant, or a cell is not a finite number; the message names file, row and column.
    """
    data, name = _load(source, name)
    separator, rows = _split(_decode(data, name), name)
    if not rows:
        raise invalid(f"{name} is empty", "a header row and rows of numbers", "no rows")
    header = _checked_header(rows[0][1], name)
    chosen = _chosen_columns(header, target, features, name)
    body = rows[1:]
    if not MIN_ROWS <= len(body) <= MAX_ROWS:
        kind = "few" if len(body) < MIN_ROWS else "many"
        raise invalid(f"{name} has too {kind} rows", f"{MIN_ROWS} to {MAX_ROWS} below the header", str(len(body)))
    numbers = np.empty((len(body), len(chosen)))
    for i, (line, cells) in enumerate(body):
        if len(cells) != len(header):
            expected = f"{len(header)} cells, as in the header"
            raise invalid(f"{name}, row {line} has the wrong number of cells", expected, str(len(cells)))
        for j, column in enumerate(chosen):
            numbers[i, j] = _number(cells[column], separator, f"{name}, row {line}, column {header[column]!r}")
    for j, column in enumerate(chosen):
        if numbers[:, j].min() == numbers[:, j].max():
            received = f"{numbers[0, j]:g} in all {len(body)} rows"
            raise invalid(f"{name}, column {header[column]!r} is constant", "a column that varies", received)
    names = tuple(header[column] for column in chosen)
    return _scaled(numbers, names, name, domain)


def _scaled(numbers: np.ndarray, names: tuple[str, ...], name: str, domain: tuple[float, float]) -> Table:
    low, high = domain
    if not -100.0 <= low < high <= 100.0:
        raise invalid("domain is out of range", "lowest < highest, both from -100 to 100 rad", f"domain={domain!r}")
    lowest, highest = numbers[:, :-1].min(axis=0), numbers[:, :-1].max(axis=0)
    features = low + (high - low) * ((numbers[:, :-1] - lowest) / (highest - lowest))
    return Table(features, numbers[:, -1], names, name, (float(low), float(high)))


def _load(source: Any, name: str | None) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray)):
        data, name = bytes(source), name or "table"
    elif isinstance(source, (str, Path)):
        path = Path(source)
        name = name or path.name
        if not path.is_file():
            raise invalid(f"{name} cannot be read", "the path of a CSV file", repr(str(source)))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    else:
        expected = "the bytes of a CSV file, or its path"
        raise invalid("source is of the wrong kind", expected, repr(type(source).__name__), TypeError)
    if len(data) > MAX_BYTES:
        raise invalid(f"{name} is too large", f"at most {MAX_BYTES / 1e6:g} MB", f"{len(data) / 1e6:.3g} MB or more")
    return data, name


def _decode(data: bytes, name: str) -> str:
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise invalid(f"{name} is not a text file", "a CSV file (UTF-8)", f"bytes that start with {data[:8]!r}")


def _split(text: str, name: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator, and the rows that are not blank with their line numbers (from 1)."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
            if len(rows) > MAX_ROWS + 1:
                break
    except csv.Error as error:
        expected = "cells between separators, quotes closed"
        raise invalid(f"{name}, row {reader.line_num} is not CSV", expected, str(error)) from None
    return separator, rows


def _checked_header(header: list[str], name: str) -> list[str]:
    if not 2 <= len(header) <= MAX_COLUMNS:
        expected = f"2 to {MAX_COLUMNS} columns, separated by commas, semicolons or tabs"
        raise invalid(f"{name} has the wrong number of columns", expected, str(len(header)))
    if all(_NUMBER.fullmatch(cell.replace(",", ".")) for cell in header):
        raise invalid(
            f"{name} has no header",
            "column names in the first row",
            f"numbers: {', '.join(cell[:40] for cell in header[:4])}",
        )
    if "" in header:
        received = f"none in column {header.index('') + 1}"
        raise invalid(f"{name} has a column without a name", "a name for every column", received)
    longest = max(header, key=len)
    if len(longest) > MAX_NAME:
        received = f"{len(longest)} characters in column {header.index(longest) + 1}"
        raise invalid(f"{name} has a column with too long a name", f"at most {MAX_NAME} characters", received)
    double = sorted({cell for cell in header if header.count(cell) > 1})
    if double:
        raise invalid(f"{name} has two columns of one name", "different column names", f"{double[0]!r} twice or more")
    return header


def _chosen_columns(header: list[str], target: str | None, features: Sequence[str] | None, name: str) -> list[int]:
    target = header[-1] if target is None else target
    names = [cell for cell in header if cell != target] if features is None else list(features)
    for wanted in (target, *names):
        if wanted not in header:
            close = difflib.get_close_matches(str(wanted), header, n=1, cutoff=0.5)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            shown = ", ".join(repr(cell) for cell in header[:12]) + (", …" if len(header) > 12 else "")
            raise invalid(f"{name} lacks a column", f"one of {shown}", f"{wanted!r}{hint}")
    if not names or target in names or len(set(names)) != len(names):
        expected = "one or more different columns, without the target"
        raise invalid(f"features of {name} are wrong", expected, f"features {names} and target {target!r}")
    return [header.index(wanted) for wanted in (*names, target)]


def _number(cell: str, separator: str, where: str) -> float:
    if cell == "":
        raise invalid(f"{where} is empty", "a number", "an empty cell")
    text = cell.replace(",", ".") if separator != "," and cell.count(",") == 1 and "." not in cell else cell
    if not _NUMBER.fullmatch(text):
        raise invalid(f"{where} is not a number", "a finite number such as 1.5", repr(cell[:40]))
    value = float(text)
    if abs(value) > 1e100:
        raise invalid(f"{where} is too large", "a number from -1e100 to 1e100", repr(cell[:40]))
    return value
