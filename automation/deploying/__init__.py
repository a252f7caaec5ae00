"""Record what was deployed, and check that every function answers."""
