"""Measure our build next to `sam build`: run `python -m benchmarks` or `nox -s benchmarks`. See README.md."""
