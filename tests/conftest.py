"""Settings that must stand before any test module is imported."""

import os

import hypothesis

# TensorFlow Quantum needs the Keras 2 of tf-keras, and the switch is read when TensorFlow is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# The same examples on every run, and no failure because the machine was busy.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("steady")
