"""Waiting for what a worker does."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], timeout: float = 90.0, every: float = 0.02) -> None:
    """Returns once the condition holds.

    Args:
        condition: asked again and again.
        timeout: seconds after which the test fails; patience for a loaded machine, not a promise of the app.
        every: seconds between two looks.
    """
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(every)
