"""Settings that must stand before any test module is imported."""

import gc
import os
import tempfile

import hypothesis

# TensorFlow Quantum needs the Keras 2 of tf-keras, and the switch is read when TensorFlow is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# One thread for linear algebra, also in what tests start: matrices are small, and threads of two workers on two cores
# wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Rows of sweeps go to a place of their own, not into the store of whoever runs the tests.
_STORE = tempfile.TemporaryDirectory(prefix="qfl-explore-tests-", ignore_cleanup_errors=True)
os.environ["QFL_EXPLORE_RESULTS"] = os.path.join(_STORE.name, "results.sqlite")

# The same examples on every run, and no failure because the machine was busy.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("steady")


def pytest_collection_finish(session):
    """What is imported by now stays; a collector that looks at it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
