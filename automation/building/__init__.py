"""Copy sources, build artifacts, and read the last build."""
