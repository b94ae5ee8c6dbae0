#!/bin/sh
# Prints the first Python that can hold this project: it runs, is 3.10, 3.11 or 3.12, and can make
# virtual environments. PYTHON=/path/to/python overrides the search.

probe='import sys, ensurepip, venv; print("%d.%d" % sys.version_info[:2])'
found=""

for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3}; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    # A command that exists may still not run (version managers leave such stubs behind).
    if version=$("$path" -c "$probe" 2>/dev/null); then
        case $version in
            3.10 | 3.11 | 3.12) echo "$path"; exit 0 ;;
            *) found="$found
  $path is Python $version" ;;
        esac
    elif version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
        found="$found
  $path is Python $version without the venv and ensurepip modules (Debian, Ubuntu: apt install python$version-venv)"
    else
        found="$found
  $path does not run"
    fi
done

{
    echo "No usable Python. Needed: Python 3.10, 3.11 or 3.12 with the venv module. Found: ${found:-nothing by the names tried}"
    echo "Tried: ${PYTHON:-python3.11 python3.12 python3.10 python3}"
    echo "Install one of them, or name one you have: make app PYTHON=/path/to/python3.11"
} >&2
exit 1
