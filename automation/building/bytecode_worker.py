"""Compile a list of modules. A bare interpreter of any Python from 3.7 on runs this: standard library only."""

import json
import py_compile
import sys
from pathlib import Path


def main(jobs: str) -> None:
    """Compile each [source, target, path in tracebacks] of a JSON file; skip a module that does not compile."""
    for source, target, traceback_path in json.loads(Path(jobs).read_text()):
        try:
            py_compile.compile(
                source,
                target,
                traceback_path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, ValueError, RecursionError):
            continue
        except OSError as cause:
            sys.exit(f"{target}: {cause.strerror}")


main(sys.argv[1])
