"""Tools that list, check, evaluate and explain strategies, and add them to the book."""
