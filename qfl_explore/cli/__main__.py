"""``python -m qfl_explore.cli`` is the same as ``qfl-explore``."""

from qfl_explore.cli import main

main()
