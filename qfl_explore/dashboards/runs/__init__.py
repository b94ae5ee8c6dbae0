"""Visitors' runs: a fair, bounded scheduler, tapes of runs that many ask for, and how results reach a page."""
