"""What an artifact is made of, and how it is built."""
