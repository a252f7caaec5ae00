"""Destroy an environment: what it contains, what goes and what stays, and the deletion itself."""
