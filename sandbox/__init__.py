"""The local cloud of `--env local`: an AWS emulator, a paper exchange, and real market history."""
