"""A package of the project."""

VALUE = 1
