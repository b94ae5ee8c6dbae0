"""Handwritten digits (UCI 80): 8 × 8 images, shipped inside scikit-learn. One quarter of the image is one modality."""

from __future__ import annotations

from qfl_explore.datasets import images
from qfl_explore.datasets.base import MultimodalData, standardise, stratified_split


def load(seed: int = 0, standardised: bool = True, pieces: int = 4) -> MultimodalData:
    """1797 digits cut into pieces; no network.

    scikit-learn's copy does not say who wrote which digit, so the split is not by writer.

    Args:
        seed: of the stratified split into 60 % training, 20 % validation, 20 % test.
        standardised: whether to standardise with the training part's mean and spread.
        pieces: 4 (quarters), 2 (halves) or 16.

    Returns:
        Data with features [1797, pixels] a piece, and the pieces as ``raw``.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    names, parts = images.cut(bunch.images.astype("uint8"), pieces)
    data = MultimodalData(
        name="digits",
        title="Handwritten digits",
        features=tuple(images.flat(part) for part in parts),
        raw=parts,
        raw_unit="grey level, 0 to 16",
        labels=bunch.target,
        split=stratified_split(bunch.target, seed),
        modality_names=names,
        feature_names=tuple(images.pixel_names(part) for part in parts),
        units=tuple(("grey level",) * images.flat(part).shape[1] for part in parts),
        class_names=tuple("0123456789"),
        source="E. Alpaydin, C. Kaynak: UCI Machine Learning Repository, doi:10.24432/C50P49, the test part as shipped "
        "with scikit-learn",
        licence="CC BY 4.0",
        seed=seed,
        notes=("The pieces of one image as modalities are our construction; the split is not by writer.",),
    )
    return standardise(data) if standardised else data
