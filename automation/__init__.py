"""The tasks behind inv and nox: sync, build, prove, measure, deploy. Nothing here ships to Lambda."""
