"""Writes the workshop's document to standard output: ``python -m qfl_explore.teaching > docs/workshop.md``."""

import sys

from qfl_explore.teaching.document import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown())
