"""``python -m qfl_explore.benchmark``: times the engines, checks them, and writes table and picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from qfl_explore.benchmark.cases import BATCHES, SIZES, Case, growth_cases
from qfl_explore.benchmark.coordinator import PATIENCE_S, PEERS, run
from qfl_explore.benchmark.machine import describe, with_floors
from qfl_explore.benchmark.report import summary, write_report
from qfl_explore.errors import check_int, check_option, invalid


def _size(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) for part in parts):
        raise invalid("a size cannot be read", "three integers of 1 or more as M,D,P, such as 3,4,5", repr(text))
    m, d, p = map(int, parts)
    return m, d, p


def _batch(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise invalid("a batch size cannot be read", "an integer of 1 or more", repr(text)) from None
    return check_int("batch size", number, 1)


def _seconds(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise invalid(f"{name} cannot be used", "seconds above 0", repr(text))
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qfl_explore.benchmark", description=__doc__)
    parser.add_argument("--engines", nargs="+", default=list(PEERS), metavar="NAME", help=", ".join(PEERS))
    sizes = [",".join(map(str, size)) for size in SIZES]
    parser.add_argument("--sizes", nargs="+", default=sizes, metavar="M,D,P")
    parser.add_argument("--batches", nargs="+", default=list(map(str, BATCHES)), metavar="B")
    parser.add_argument("--growth", nargs="*", metavar="NAME", help="also time these engines as P, B and n grow")
    parser.add_argument("--budget", default="1", metavar="S", help="seconds for an engine, a question and a round")
    patience = f"seconds for a first result, after which an engine is given up (default {PATIENCE_S:g})"
    parser.add_argument("--patience", default=str(PATIENCE_S), metavar="S", help=patience)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write results.csv, results.md and results.svg there"
    )
    return parser


def _plan(options: argparse.Namespace) -> Iterator[pd.DataFrame]:
    cases = [Case(*_size(size), _batch(batch)) for size in options.sizes for batch in options.batches]
    for name in [*options.engines, *(options.growth or ())]:
        check_option("engine", name, PEERS)
    limits = {"budget_s": _seconds("--budget", options.budget), "patience_s": _seconds("--patience", options.patience)}
    yield from (table.assign(part="sizes") for table in run(cases, options.engines, root=Path.cwd(), **limits))
    if options.growth:
        grown = run(growth_cases(), options.growth, root=Path.cwd(), **limits)
        yield from (table.assign(part="growth") for table in grown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; wrong input ends it with a message in three parts and code 2.

    ``qsim`` as its first word is a command of its own: large circuits on qsim, see `benchmark.large`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["qsim"]:
        from qfl_explore.benchmark.large import main as large_circuits

        return large_circuits(arguments[1:])
    parser = _parser()
    options = parser.parse_args(arguments)
    tables: list[pd.DataFrame] = []
    machine: dict[str, object] = {}
    plan = _plan(options)
    while True:
        try:
            table = next(plan, None)
        except (ValueError, TypeError) as error:
            if tables:
                raise
            parser.error(str(error))
        if table is None:
            return
        machine = machine or describe(arguments)
        tables.append(with_floors(table, machine))
        _show(tables, options.out)


def _show(tables: Sequence[pd.DataFrame], out: Path | None) -> None:
    latest = tables[-1]
    first = latest.iloc[0]
    label = f"M={first.n_modalities} D={first.feature_dim} P={first.degree} B={first.batch_size}"
    text = summary(latest).to_string(index=False, float_format="{:.3g}".format)
    sys.stdout.write(f"\n{label}, {first.n_qubits} qubits\n{text}\n")
    sys.stdout.flush()
    if out:
        write_report(pd.concat(tables, ignore_index=True), out)


if __name__ == "__main__":
    main()
