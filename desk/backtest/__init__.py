"""Simulate how the deployed system would have traded past sessions, and report the result."""
