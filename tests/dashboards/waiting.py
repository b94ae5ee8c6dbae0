"""Waiting for what a worker does, and drawing it: in the thread of the test, as the app draws on the server's loop."""

import threading
import time
from collections import deque
from collections.abc import Callable

#: What is to be drawn; `wait_for` does it, one after the other.
TURNS: deque[Callable[[], None]] = deque()


def wait_for(condition: Callable[[], object], timeout: float = 90.0, every: float = 0.02) -> None:
    """Draws what workers bring until the condition holds.

    Args:
        condition: asked again and again.
        timeout: seconds after which the test fails; patience for a loaded machine, not a promise of the app.
        every: seconds between two looks.
    """
    end = time.monotonic() + timeout
    while True:
        draw()
        if condition():
            return
        assert time.monotonic() < end, "timed out"
        time.sleep(every)


def draw() -> None:
    """Draws what is there; what comes meanwhile has its turn the next time."""
    assert threading.current_thread() is threading.main_thread()
    for _ in range(len(TURNS)):
        TURNS.popleft()()
