"""The command ``qfl-explore``: serve the app, run sweeps and benchmarks, look at data and at this machine.

Heavy packages are imported inside the commands that need them, so that help appears at once.
"""

from qfl_explore.cli.commands import app, main

__all__ = ["app", "main"]
