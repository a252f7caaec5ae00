"""Compile a list of modules. Run by a bare interpreter of any Python 3.9 or later: standard library only."""

import json
import py_compile
import sys
from pathlib import Path


def main(jobs: str) -> None:
    """Compile each [source, target, name in tracebacks]; one that does not compile is passed over."""
    for source, target, named in json.loads(Path(jobs).read_text()):
        try:
            py_compile.compile(
                source, target, named, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )
        except (py_compile.PyCompileError, ValueError, RecursionError):
            continue
        except OSError as cause:
            sys.exit(f"{target}: {cause.strerror}")


main(sys.argv[1])
