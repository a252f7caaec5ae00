"""Strategies on the desk: listed, checked, evaluated, explained, added to the book."""
