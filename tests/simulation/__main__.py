"""Simulate many histories of the ten functions and check every invariant: `python -m tests.simulation --help`."""

import sys

from tests.simulation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
