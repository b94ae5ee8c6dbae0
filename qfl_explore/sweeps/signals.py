"""Preloaded by the workers of this machine's own cluster: Ctrl-C is for the sweep, which ends its workers itself."""

from __future__ import annotations

import signal
import threading
from typing import Any


def dask_setup(worker: Any) -> None:
    """Called by Dask when a worker starts; without it every worker prints a traceback at Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
