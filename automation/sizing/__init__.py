"""What the built artifacts weigh, of what, against which limits, and since when."""
