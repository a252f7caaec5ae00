"""The rules of the proof: they find what breaks on Lambda although the project builds, validates and lints."""
