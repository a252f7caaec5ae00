"""The tasks behind inv and nox: sync, build, prove, measure, deploy. Nothing here ships to Lambda."""

import sys

# Invoke forbids Python to write bytecode, so each command would compile this automation again, for 0.05 s of a build.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
