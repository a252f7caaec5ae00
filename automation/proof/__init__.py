"""The rules of the proof: what breaks on Lambda and is not told by building, validating or linting."""
