"""``python -m qfl_explore.benchmark``: times the engines and prints the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from qfl_explore.benchmark.cases import BATCHES, SIZES, Case
from qfl_explore.benchmark.coordinator import PEERS, run


def _size(text: str) -> tuple[int, int, int]:
    m, d, p = (int(part) for part in text.split(","))
    return m, d, p


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qfl_explore.benchmark", description=__doc__)
    parser.add_argument("--engines", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--sizes", nargs="+", type=_size, default=list(SIZES), metavar="M,D,P")
    parser.add_argument("--batches", nargs="+", type=int, default=list(BATCHES), metavar="B")
    parser.add_argument("--budget", type=float, default=1.0, help="seconds for an engine, a question and a round")
    parser.add_argument("--out", type=Path, help="write the table here, as CSV")
    return parser


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """What is printed for one case: times, and how many times slower than `batched` each engine is."""
    ours = table.loc[table.engine == "batched"].squeeze()
    shown = table[["engine"]].copy()
    for what in ("forward", "gradient"):
        shown[f"{what} ms"] = table.get(f"{what}_ms")
        shown[f"{what} x"] = table.get(f"{what}_ms") / ours.get(f"{what}_ms")
    shown["first s"] = table.get("first_gradient_s")
    shown["peak MiB"] = table.get("peak_mib")
    shown["note"] = table.get("failed", pd.Series("", table.index)).fillna("")
    return shown


def main(arguments: list[str] | None = None) -> None:
    """Runs the command."""
    options = _parser().parse_args(arguments)
    cases = [Case(*size, batch) for size in options.sizes for batch in options.batches]
    tables = []
    for table in run(cases, options.engines, root=Path.cwd(), budget_s=options.budget):
        tables.append(table)
        label = f"M={table.n_modalities[0]} D={table.feature_dim[0]} P={table.degree[0]} B={table.batch_size[0]}"
        text = summary(table).to_string(index=False, float_format="{:.3g}".format)
        sys.stdout.write(f"\n{label}, {table.n_qubits[0]} qubits\n{text}\n")
        sys.stdout.flush()
        if options.out:
            pd.concat(tables).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
