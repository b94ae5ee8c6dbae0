"""Sweeps: a grid of configs over any experiment, on this machine's cores or on a Dask cluster.

>>> from qfl_explore import sweeps
>>> grid = sweeps.Grid(experiment="polynomial", axes={"fusion.degree": [1, 2, 3], "seed": [0, 1]})
>>> grid.size
6

``sweeps.run(grid)`` computes it and returns one table; calling it again computes only what is
missing. ``sweeps.stream(grid)`` yields `Progress` while it runs.
"""

from qfl_explore.sweeps.cluster import KINDS, VARIABLE, connect, local_client, scheduler_address, shutdown
from qfl_explore.sweeps.drive import Options, run, stream
from qfl_explore.sweeps.grid import Grid
from qfl_explore.sweeps.progress import Cell, Line, Progress, duration
from qfl_explore.sweeps.registry import Experiment, Spread, get, names, register

__all__ = [
    "KINDS",
    "VARIABLE",
    "Cell",
    "Experiment",
    "Grid",
    "Line",
    "Options",
    "Progress",
    "Spread",
    "connect",
    "duration",
    "get",
    "local_client",
    "names",
    "register",
    "run",
    "scheduler_address",
    "shutdown",
    "stream",
]
