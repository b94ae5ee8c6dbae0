"""Sentences of the report that do not depend on numbers."""

PRESET_NOTES = {
    "standard": "",
    "quick": "\n\n**This is the quick preset: two seeds, few epochs, small parts of the data. It shows that everything "
    "runs and says nothing about the methods.**",
}
INTRODUCTION = """\
# The multimodal study: the Quantum Fusion Layer beside classical fusions

Made by `{command}`; nothing here is edited by hand. Every score is in `study/scores.csv`.{preset}

The question: on real data with few to many modalities, does the Quantum Fusion Layer (arXiv:2510.06938) do better
than classical ways to fuse the same features, on equal terms? The paper's encoders, widths, learning rates and
splits are not known to us, so this is a study of our own and no reproduction of its figures.\
"""
HEAD_TO_HEAD = """\
### Against each method

One row a classical method: in how many tables the quantum layer was better or worse than it after adjustment, and
in how many its mean was ahead. "Best classical in" counts the tables in which that method has the best mean of all
classical methods.\
"""
READING = """\
## How to read the tables

- **Equal terms.** All fusions have the same encoders (one dense layer with tanh for each modality, D features), the
  same number of trials, the same epochs, early stopping and loss. Each classical fusion is as wide as it takes to
  have at least as many parameters as the quantum layer with its head, and never hands fewer numbers to its head.
  The MLP on all measures has at least as many parameters as the whole quantum model. Linear models and gradient
  boosting see the same features.
- **Tuning.** Three trials a method and seed: learning rates 0.005, 0.02, 0.08 (of Adam, and of boosting), penalties
  0.001, 0.03, 1 (C of logistic, 1/α of ridge regression). The trial with the lowest validation loss is kept and
  meets the test part once. No test score had a part in choosing the trials, D, P = 3, one block, or the measurement
  (random Pauli planes, as many as qubits).
- **Scores.** AUC and F1 are macro means over classes or labels; the accuracy of labels is the share of right label
  values. MAE is in mph. Methods are compared by AUC, or MAE for forecasts.
- **Intervals** behind a score are 95 % of Student's t over seeds; where a seed draws the split they are widened for
  splits that share samples (Nadeau and Bengio 2003). "Over test samples": the mean over the seeds for 500 draws of
  the test samples with replacement (forecasts: in blocks of six hours), middle 95 %.
- **Differences** are paired by seed, quantum minus the method. p-values are Student's t with the same widening; "p
  (Holm)" is adjusted over all methods of that table. Tables are not adjusted for each other. Where all seeds share
  an official test part, a difference counts only if its interval over the test samples excludes 0, too.
- **"Best classical"** is chosen by the test scores in the table, which favours the classical side a little. The
  rows against each single method have no such choice in them.
- **"Seconds"** are wall time of all trials of a method on one core of a busy machine: good for orders of magnitude
  only. The quantum layer is simulated; a quantum computer would have other costs.\
"""
OFFICIAL = "All seeds share one official test part: intervals over seeds tell about starts of training only."
SECTIONS = {
    "main": "The picture shows the score of every method over the number of its parameters.",
    "modalities": "Fewer leads or sensors of the same samples, with the same targets, all else as above.",
    "few_shot": "Fewer training samples; validation and test part stay whole.",
    "degree": "How often the circuit calls the signal. Classical widths follow the quantum layer's parameters.",
    "measurement": "Which observables the layer hands to its head.",
    "size": "More blocks give the circuit more angles; every classical fusion grows with it.",
    "effort": "For five methods alike: eight trials instead of three, up to 400 epochs instead of 150, patience 40 "
    "instead of 20.",
}
COLLAPSE = """\
## Low-rank fusion's collapse

Low-rank fusion multiplies one factor for each modality. Before any training, {n_draws} drawn models with standard
normal features (D = 8, R = 4, seed {seed}) give these medians of log10 |product|, with the share of products that
are exactly 0 in single precision. The start of the published code ("reference") makes them vanish; a start that
keeps the *mean* square at 1 does not help the median; a start near 1 (our construction) keeps them. What it does to
trained models is below: both starts are methods of this study.\
"""
PUBLISHED = """\
## Published figures, for context

They are what others report on other splits with other settings; we neither aim at them nor claim to have tested
them.

- arXiv:2510.06938, as far as we know it (partly from secondary sources): AUC 0.887 on 12-lead ECG with 5 % of the
  parameters of the tensor method; AUC up to 76 % above the tensor method and up to 12 % above graph methods; up to
  207 modalities (Traffic-LA); scores drop at P = 5.
- arXiv:2512.19180: best F1 of 96.7 % on Wine, 96.7 % on Breast Cancer, 97.1 % on Fashion-MNIST, 80.6 % on CoverType
  and 77.1 % on Steel Plates.\
"""
CANNOT = """

What these numbers cannot say:

- Nothing about the paper's own results: its encoders, D, number of blocks, observables, learning rates and splits
  are not known to us, and PTB-XL is here a sample of 500 of 21,799 records, METR-LA one week of four months.
- Nothing about quantum hardware: values are exact, without noise and without repetitions.
- "Undecided" is not "equal": with this many seeds and test samples a difference within the interval may exist.
- Other encoders, other features or more data may change the order. What was varied is in the sections below; what
  was not varied was not tested.
- How features become angles was not tuned: by tanh, up to ±π. In the comparison of three systems (`docs/systems.md`)
  ±π/2 changed the layer's score on some tasks, on the audio-visual digits from 0.69 to 0.86 in F1.
- Nothing about an advantage of quantum computers: every circuit here is simulated on an ordinary one.\
"""
HOW = """\
## How it was run

`{command}`, {date}: {n_runs} runs with a result, {time} of computing on one core, in pieces; what is finished is
kept in a results store and never computed twice. One run is one table, setting and seed with all its methods.
Split, starting weights and order of samples follow from the seed.

Data:

{sources}

Versions:

{versions}\
"""
