"""Lambda as a function sees it: its paths, its mounts, and a stand-in for its managed runtime."""
