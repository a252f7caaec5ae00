"""Tools for the people who trade; nothing here ships to Lambda."""
