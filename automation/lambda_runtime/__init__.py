"""What Lambda mounts for a function, and a stand-in for its runtime."""
