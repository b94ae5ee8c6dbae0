"""One run as a record: settings, outcome and provenance in plain values, and the key that it is kept under."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import math
import platform
from typing import Any

import numpy as np
import pandas as pd

from qfl_explore import __version__
from qfl_explore.errors import check_option, invalid

DONE, FAILED = "done", "failed"
STATUSES = (DONE, FAILED)
#: Packages whose versions may change a number.
VERSIONED = ("numpy", "scipy", "pandas", "scikit-learn", "numba", "cirq-core")
#: The package of an engine, beside those.
ENGINE_PACKAGES = {"tfq": ("tensorflow", "tensorflow-quantum"), "qsim": ("qsimcirq",)}


def run_key(experiment: str, run_id: str, version: str = __version__) -> str:
    """The key of a run: 20 hexadecimal digits.

    Args:
        experiment: its name.
        run_id: of the config; defaults are left out of it.
        version: of the package; another version's results are other results.

    >>> run_key("polynomial", "0123456789ab", "0.1.0")
    '0bc2fec7c267bea36198'
    """
    text = json.dumps([experiment, run_id, version])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def config_values(config: Any) -> dict[str, Any]:
    """All settings of a config as one flat dict with dotted names, in the order of its fields.

    >>> from qfl_explore.experiments.polynomial_config import PolynomialConfig
    >>> config_values(PolynomialConfig())["fusion.degree"]
    3
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= {f"{field.name}.{name}": inner for name, inner in config_values(value).items()}
        else:
            found[field.name] = plain(value)
    return found


def plain(value: Any) -> Any:
    """A value in words that JSON has: numpy's numbers become Python's, sequences lists.

    >>> plain({"a": (np.float32(0.5), np.arange(2))})
    {'a': [0.5, [0, 1]]}
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return [value.real, value.imag]
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, pd.DataFrame):
        return value_rows(value)
    if isinstance(value, pd.Series):
        return plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain(inner) for inner in value]
    return None if value is pd.NA or value is pd.NaT else str(value)


def value_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of rows of plain values."""
    columns = {str(name): [plain(value) for value in table[name].tolist()] for name in table.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def provenance_of(config: Any) -> dict[str, Any]:
    """Where a number comes from: versions, engine and seed; nothing that names a machine."""
    engine = str(getattr(config, "backend", ""))
    seed = getattr(config, "seed", getattr(config, "seeds", None))
    return {"engine": engine, "seed": plain(seed), "versions": dict(_versions(engine))}


@functools.cache
def _versions(engine: str) -> tuple[tuple[str, str], ...]:
    found = [("qfl-explore", __version__), ("python", platform.python_version())]
    for name in (*VERSIONED, *ENGINE_PACKAGES.get(engine, ())):
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return tuple(found)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one attempt at one run.

    Attributes:
        experiment: its name.
        run_id: of the config.
        config: settings, flat, with dotted names.
        status: ``done`` or ``failed``.
        summary: of the result; empty where it failed.
        rows: the result's table; empty where it failed.
        error: the message, where it failed.
        error_kind: name of the exception, where it failed.
        seconds: that the run took where it ran.
        provenance: ``engine``, ``seed`` and ``versions``; nothing that names a machine.
        version: of the package.
        attempt: 1 for the first; the store counts.
    """

    experiment: str
    run_id: str
    config: dict[str, Any]
    status: str = DONE
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    error: str = ""
    error_kind: str = ""
    seconds: float = math.nan
    provenance: dict[str, Any] = dataclasses.field(default_factory=dict)
    version: str = __version__
    attempt: int = 0

    def __post_init__(self) -> None:
        check_option("status", self.status, STATUSES)
        if not self.experiment or "/" in self.experiment:
            expected = "a name without a slash"
            raise invalid("experiment is no usable name", expected, f"experiment={self.experiment!r}")

    @classmethod
    def of(cls, experiment: str, config: Any, **outcome: Any) -> Record:
        """A record of a config's run; ``outcome`` are the remaining fields."""
        same = {"experiment": experiment, "run_id": config.run_id, "config": config_values(config)}
        return cls(**(same | {"provenance": provenance_of(config)} | outcome))

    @property
    def key(self) -> str:
        """See `run_key`."""
        return run_key(self.experiment, self.run_id, self.version)

    @property
    def ok(self) -> bool:
        """Whether the run came to its end."""
        return self.status == DONE

    @property
    def table(self) -> pd.DataFrame:
        """The result's table."""
        return pd.DataFrame(self.rows)

    def to_json(self) -> str:
        """As one line of text; `from_json` gives it back, number for number."""
        return json.dumps(plain(dataclasses.asdict(self)), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """The record that `to_json` wrote; fields that a later version added are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})
