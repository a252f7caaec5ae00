"""Tools for the people who trade. Nothing here ships to Lambda."""
