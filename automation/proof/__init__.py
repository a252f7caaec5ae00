"""The rules of the proof: what breaks on Lambda although the project builds, validates and lints."""
