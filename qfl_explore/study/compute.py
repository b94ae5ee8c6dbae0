"""Computes what the store does not have: part after part through the sweeps, so that it can be stopped and resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qfl_explore.experiments.low_rank_collapse import CollapseConfig
from qfl_explore.results import ResultStore, run_key
from qfl_explore.study.cells import EXPERIMENT
from qfl_explore.study.plan import Part, rounds
from qfl_explore.sweeps import Grid, run

#: Widths of low-rank fusion's output whose products are measured.
COLLAPSE_WIDTHS = (1, 8)


def collapse_grid(quick: bool = False) -> Grid:
    """How low-rank products vanish, for all starts."""
    base: dict[str, Any] = {"n_draws": 20} if quick else {}
    return Grid(experiment="low_rank_collapse", base=base, axes={"n_outputs": COLLAPSE_WIDTHS})


def collapse_keys(quick: bool = False) -> list[tuple[CollapseConfig, str]]:
    """Configs and keys of `collapse_grid`."""
    grid = collapse_grid(quick)
    return list(zip(grid.configs(), grid.keys(), strict=True))


def compute(
    parts: Sequence[Part],
    store: ResultStore,
    say: Callable[[str], None],
    *,
    quick: bool = False,
    retry: bool = False,
    n_workers: int = 1,
) -> None:
    """Runs everything that is missing.

    Args:
        parts: whose data are here.
        store: keeps every run as soon as it is finished.
        say: gets one line a group of runs.
        quick: whether the preset is quick.
        retry: whether runs that failed are tried again.
        n_workers: processes.
    """
    options = {"store": store, "retry": retry, "n_workers": n_workers, "batch": 1}
    run(collapse_grid(quick), **options)
    for part, configs in rounds(parts):
        keys = [run_key(EXPERIMENT.name, config.run_id) for config in configs]
        known = store.get_all(keys)
        absent = [c for c, key in zip(configs, keys, strict=True) if key not in known or (retry and not known[key].ok)]
        if not absent:
            continue
        say(f"{part.section}, {part.title}: {len(absent)} runs")
        run(grid_of(part, absent), **options)


def grid_of(part: Part, configs: Sequence[Any]) -> Grid:
    """A grid whose points are these configs of a part."""
    names = list(dict.fromkeys([*part.axes, *part.last, "seeds"]))
    values = [tuple(getattr(config, name) for name in names) for config in configs]
    axes = {", ".join(names): values} if len(names) > 1 else {"seeds": [value for (value,) in values]}
    base = {name: value for name, value in part.base.items() if name not in names}
    return Grid(experiment=EXPERIMENT, base={"dataset": part.dataset, **base}, axes=axes)


def left_out(parts: Sequence[Part], is_here: Callable[[str], bool]) -> tuple[list[Part], list[Part]]:
    """Parts whose data are here, and those whose data are not."""
    found = [part for part in parts if is_here(part.dataset)]
    return found, [part for part in parts if part not in found]
