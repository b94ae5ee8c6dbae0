"""The committed study: which runs it consists of, how they are kept, and the report that is made of them.

``python -m qfl_explore.study`` (or ``qfl-explore study``) computes what the store does not have and writes
``docs/study.md`` with its figures.
"""
