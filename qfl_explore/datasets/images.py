"""Pieces of an image as modalities."""

from __future__ import annotations

import numpy as np

from qfl_explore.errors import invalid

#: How many pieces → rows and columns of the cut, and the pieces' names.
GRIDS: dict[int, tuple[int, int, tuple[str, ...]]] = {
    2: (2, 1, ("upper half", "lower half")),
    4: (2, 2, ("upper left", "upper right", "lower left", "lower right")),
    16: (4, 4, tuple(f"row {row}, column {column}" for row in range(1, 5) for column in range(1, 5))),
}


def cut(images: np.ndarray, pieces: int) -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    """Cuts images into equal pieces, row by row.

    Args:
        images: [N, height, width], both divisible by the cut.
        pieces: 2, 4 or 16.

    Returns:
        Names, and one array [N, height of a piece, width of a piece] each.

    Raises:
        ValueError: there is no such cut.
    """
    if pieces not in GRIDS:
        raise invalid("pieces are not known", "2, 4 or 16", f"pieces={pieces!r}")
    n_rows, n_columns, names = GRIDS[pieces]
    height, width = images.shape[1] // n_rows, images.shape[2] // n_columns
    parts = tuple(
        images[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(n_rows)
        for column in range(n_columns)
    )
    return names, parts


def flat(piece: np.ndarray) -> np.ndarray:
    """[N, pixels]."""
    return piece.reshape(len(piece), -1)


def pixel_names(piece: np.ndarray) -> tuple[str, ...]:
    """One name a pixel of `flat`."""
    return tuple(f"pixel {row + 1}, {column + 1}" for row in range(piece.shape[1]) for column in range(piece.shape[2]))
