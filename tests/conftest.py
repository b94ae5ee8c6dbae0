"""Settings that must stand before any test module is imported."""

import os
import tempfile

import hypothesis

# TensorFlow Quantum needs the Keras 2 of tf-keras, and the switch is read when TensorFlow is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Rows of sweeps go to a place of their own, not into the store of whoever runs the tests.
_STORE = tempfile.TemporaryDirectory(prefix="qfl-explore-tests-", ignore_cleanup_errors=True)
os.environ["QFL_EXPLORE_RESULTS"] = os.path.join(_STORE.name, "results.sqlite")

# The same examples on every run, and no failure because the machine was busy.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("steady")
