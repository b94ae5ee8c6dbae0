"""Runs the notebooks of the course with their full settings; executed copies go to build/notebooks.

    python scripts/run_notebooks.py            # all nine
    python scripts/run_notebooks.py 02 07      # some

It ends with code 1 where one failed, after all were tried. The notebooks themselves stay without outputs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"


def execute(path: Path, target: Path, patience: int) -> str:
    """Runs one notebook in its folder and writes what came out, also where it failed.

    Args:
        path: of the notebook.
        target: where to write the executed copy.
        patience: seconds that one cell may take.

    Returns:
        What went wrong; empty where nothing did.
    """
    notebook = nbformat.read(path, 4)
    client = NotebookClient(notebook, timeout=patience, kernel_name="python3", resources={"metadata": {"path": FOLDER}})
    problem = ""
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        problem = f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    return problem


def main() -> int:
    """Runs them one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="the first digits of their names; none: all")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "notebooks", help="where executed copies go")
    parser.add_argument("--patience", type=int, default=1800, help="seconds that one cell may take")
    options = parser.parse_args()
    os.environ.pop("QFL_PRESET", None)
    chosen = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.name[:2] in (options.numbers or [path.name[:2]])]
    failed = 0 if chosen else 1
    for path in chosen:
        start = time.perf_counter()
        problem = execute(path, options.out / path.name, options.patience)
        failed += bool(problem)
        sys.stdout.write(f"{path.name}: {time.perf_counter() - start:.0f} s, {problem or 'done'}\n")
        sys.stdout.flush()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
