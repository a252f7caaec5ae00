"""Trade days of the deployed sandbox under faults, and check each: `python -m tests.chaos --help`."""

import sys

from tests.chaos.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
