"""A sweep in a process of its own, to be killed: ``python -m tests.unit.sweeps.killed STORE N_SEEDS SECONDS KIND``."""

import sys

from qfl_explore import sweeps
from tests.unit.sweeps.toys import TOY


def grid(n_seeds: int, seconds: float) -> sweeps.Grid:
    return sweeps.Grid(experiment=TOY, base={"seconds": seconds}, axes={"inner.degree": [1, 2], "seed": range(n_seeds)})


if __name__ == "__main__":
    where, n_seeds, seconds, kind = sys.argv[1:]
    for item in sweeps.stream(grid(int(n_seeds), float(seconds)), store=where, kind=kind, n_workers=2):
        if item.running or item.finished:
            sys.stdout.write(f"{item.done}\n")
            sys.stdout.flush()
