"""Composer's JSON exports: read the step tree, and convert it into a strategy of this system."""
