"""What the deployed system would have done on past sessions, and what came of it."""
