"""How fast values and gradients come back: our engines and what a user would pick instead.

``python -m qfl_explore.benchmark --help``. Every engine runs in a process of its own, is checked
against the reference before it is timed, and takes turns with the others, so that ratios stand
even where the machine's speed drifts.
"""
