"""Measures what a room of visitors gets: ``python -m qfl_explore.load``, ``make load`` or ``qfl-explore load``.

A server of its own is started, visited by websocket clients that behave like browsers without a
screen (and by real ones where Chromium is there), and asked how late its loop is and how much
memory it holds. The figures go to docs/load.md.
"""
