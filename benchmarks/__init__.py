"""Ours and `sam build` side by side: `python -m benchmarks`, or `nox -s benchmarks`. See README.md."""
