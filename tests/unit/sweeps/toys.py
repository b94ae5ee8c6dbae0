"""A small experiment that can do everything that goes wrong; workers import it from here."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd

from qfl_explore.config import run_id
from qfl_explore.errors import check_int
from qfl_explore.sweeps import Experiment

#: Environment variable: a file that gets a line each time that a point is computed.
LOG = "QFL_TEST_LOG"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    """Nested settings."""

    degree: int = 3
    shape: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        check_int("degree", self.degree, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyConfig:
    """``way`` names a function of `Ways`."""

    inner: Inner = dataclasses.field(default_factory=Inner)
    way: str = "well"
    seed: int = 0
    seconds: float = 0.0
    n_observables: int | None = 4
    backend: str = "batched"

    @property
    def run_id(self) -> str:
        return run_id(self)


@dataclasses.dataclass(frozen=True)
class ToyResult:
    config: ToyConfig
    table: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        if self.config.way == "odd_result":
            raise RuntimeError("There is no summary.")
        score = 0.1 * self.config.seed + self.config.inner.degree
        return {"run_id": self.config.run_id, "score": score, "seed": self.config.seed, "fit": {"low": score - 1}}


def run(config: ToyConfig) -> ToyResult:
    """Does what ``way`` says."""
    if os.environ.get(LOG):
        with open(os.environ[LOG], "a") as file:
            file.write(f"{config.run_id}\n")
    if config.seconds:
        time.sleep(config.seconds)
    getattr(Ways, config.way)(config)
    rows = [{"step": step, "loss": 1.0 / (1 + step), "seed": config.seed} for step in range(2)]
    return ToyResult(config, pd.DataFrame(rows))


class Ways:
    """Ways of going wrong, and one of going well."""

    @staticmethod
    def well(config: ToyConfig) -> None:
        pass

    odd_result = well

    @staticmethod
    def broken(config: ToyConfig) -> None:
        raise ValueError("The toy is broken. Expected: a whole toy. Received: half of one.")

    @staticmethod
    def odd_error(config: ToyConfig) -> None:
        raise ErrorThatCannotTravel(lambda: None)

    @staticmethod
    def exit(config: ToyConfig) -> None:
        raise SystemExit(3)

    @staticmethod
    def no_memory(config: ToyConfig) -> None:
        raise MemoryError("Unable to allocate 4.00 TiB")

    @staticmethod
    def killed(config: ToyConfig) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def killed_once(config: ToyConfig) -> None:
        mark = Path(f"{os.environ[LOG]}.killed-{config.seed}")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def memory(config: ToyConfig) -> None:
        held = []
        while True:
            held.append(b"x" * 2**24)
            time.sleep(0.005)

    @staticmethod
    def sleep(config: ToyConfig) -> None:
        while True:
            time.sleep(0.01)

    @staticmethod
    def sleep_in_c(config: ToyConfig) -> None:
        time.sleep(60)


class ErrorThatCannotTravel(Exception):
    """Holds what cannot be pickled."""


TOY = Experiment("toy", f"{__name__}:ToyConfig", f"{__name__}:run", "a toy")
