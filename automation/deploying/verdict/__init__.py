"""Rank the changes of a plan, and say which of them are dangers."""
