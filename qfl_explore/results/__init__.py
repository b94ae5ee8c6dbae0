"""Results of runs: written once, with provenance, in one local file or in shared storage."""

from qfl_explore.results.record import DONE, FAILED, Record, config_values, run_key
from qfl_explore.results.store import VARIABLE, ResultStore, default_url
from qfl_explore.results.views import PROVENANCE, dataset_of, rows_of, table_of

__all__ = [
    "DONE",
    "FAILED",
    "PROVENANCE",
    "VARIABLE",
    "Record",
    "ResultStore",
    "config_values",
    "dataset_of",
    "default_url",
    "rows_of",
    "run_key",
    "table_of",
]
