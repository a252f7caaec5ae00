"""The embedded cloud of `--env local`: AWS emulator, paper exchange, real market history."""
