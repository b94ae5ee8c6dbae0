"""``python -m qfl_explore.load``: visits a server of its own with a room of clients, and writes what they got."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from pathlib import Path

from qfl_explore.errors import check_int
from qfl_explore.load.measure import QUICK, Plan, measure
from qfl_explore.load.report import as_json, page, table, targets


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qfl_explore.load", description=__doc__)
    parser.add_argument("--sessions", metavar="N", help=f"visitors at once (default {Plan.n_sessions})")
    parser.add_argument("--browsers", metavar="N", help=f"of them, real browsers (default {Plan.n_browsers})")
    parser.add_argument("--cycles", metavar="N", help=f"sessions opened and closed (default {Plan.n_cycles})")
    parser.add_argument(
        "--quick", action="store_true", help="few sessions, a minute: says little, finds what is broken"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the page there (make load: docs/load.md)")
    parser.add_argument("--json", type=Path, metavar="FILE.json", help="write all figures there")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    given = {"n_sessions": (options.sessions, 2), "n_browsers": (options.browsers, 0), "n_cycles": (options.cycles, 8)}
    changes = {
        name: check_int(f"--{name[2:]}", int(text) if text.isdecimal() else text, least)
        for name, (text, least) in given.items()
        if text is not None
    }
    return dataclasses.replace(QUICK if options.quick else Plan(), **changes)


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Measures and reports.

    Returns:
        0 if every target was met, 1 if one was missed, 2 if the options make no sense.
    """
    options = _parser().parse_args()
    try:
        plan = _plan(options)
    except (ValueError, TypeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    figures = {"machine_load": load} | measure(plan, _say)
    found = targets(figures)
    sys.stdout.write("\n".join(table(found)) + "\n")
    if options.out:
        options.out.write_text(page(figures, plan), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(as_json(figures), indent=1), encoding="utf-8")
    return 0 if all(target.met for target in found) else 1


if __name__ == "__main__":
    sys.exit(main())
