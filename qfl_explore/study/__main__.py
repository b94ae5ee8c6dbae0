"""``python -m qfl_explore.study``: computes what is missing and writes the report with its figures."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from qfl_explore.datasets.places import VARIABLE
from qfl_explore.datasets.registry import is_here
from qfl_explore.errors import check_int, check_option, full_disk, invalid
from qfl_explore.study.plan import PRESETS, SECTIONS, Part, parts

#: A shell's code for "ended by Ctrl-C".
INTERRUPTED = 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qfl-explore study", description=__doc__)
    parser.add_argument("--data", metavar="FOLDER", help=f"holds one folder a data set (else ${VARIABLE}, else data/)")
    parser.add_argument("--out", default="docs/study.md", metavar="FILE.md", help="the report; figures go beside it")
    parser.add_argument("--store", metavar="URL", help="where runs are kept (else $QFL_EXPLORE_RESULTS, else your own)")
    parser.add_argument("--quick", action="store_true", help=PRESETS["quick"])
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="names of sections or tables to compute")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--retry", action="store_true", help="compute runs again that failed before")
    parser.add_argument("--report", action="store_true", help="compute nothing: write the report of what is kept")
    parser.add_argument("--list", action="store_true", help="only say what there is and what is kept")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    ``systems`` as its first word is a command of its own: three quantum fusion systems, see `study.systems`.

    Returns:
        0, or 130 after Ctrl-C; wrong input ends it with a message in three parts and code 2.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["systems"]:
        from qfl_explore.study.systems import main as systems

        return systems(words[1:])
    parser = _parser()
    options = parser.parse_args(words)
    try:
        return _run(options, words)
    except (ValueError, TypeError) as error:
        parser.error(str(error))
    except OSError as error:
        if not (full := full_disk(error)):
            raise
        parser.error(full)


def _run(options: argparse.Namespace, words: Sequence[str]) -> int:
    if options.data is not None:
        if not Path(options.data).is_dir():
            raise invalid("--data cannot be used", "a folder that exists", repr(options.data))
        os.environ[VARIABLE] = str(Path(options.data).resolve())  # worker processes read it, too
    out = Path(options.out)
    if out.suffix != ".md" or not out.resolve().parent.is_dir():
        raise invalid("--out cannot be used", "a file .md in a folder that exists", repr(options.out))
    check_int("--workers", options.workers, 1, 1024)
    from qfl_explore.results import ResultStore
    from qfl_explore.study.compute import compute, left_out
    from qfl_explore.study.report import write

    preset = "quick" if options.quick else "standard"
    planned = parts(preset)
    found, absent = left_out(_chosen(planned, options.only), is_here)
    with contextlib.closing(ResultStore(options.store)) as store:
        for part in absent:
            _say(f"left out: {part.name}, the data of {part.dataset!r} are not here")
        if options.list:
            _list(planned, store)
            return 0
        code = 0
        if not options.report:
            try:
                compute(found, store, _say, quick=options.quick, retry=options.retry, n_workers=options.workers)
            except KeyboardInterrupt:
                _say("\nStopped. What is finished is kept; the same command goes on.")
                code = INTERRUPTED
        write(out, planned, store, preset, words)
    _say(f"Report: {out}")
    return code


def _chosen(planned: Sequence[Part], only: Sequence[str]) -> list[Part]:
    known = [*SECTIONS, *(part.name for part in planned)]
    for name in only:
        check_option("each of --only", name, known)
    return [part for part in planned if not only or part.name in only or part.section in only]


def _list(planned: Sequence[Part], store: object) -> None:
    from qfl_explore.study.gather import gathered

    for part in planned:
        points = gathered(part, store)  # type: ignore[arg-type]
        counts = ", ".join(f"{point.n_seeds}/{point.n_wanted}" for point in points)
        _say(f"{part.section:12s} {part.name:20s} seeds {counts}; {sum(p.seconds for p in points):.0f} s")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
