"""What a deployment did, and whether the functions answer."""
