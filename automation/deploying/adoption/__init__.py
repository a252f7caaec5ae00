"""Find what a deleted stack has left in the account, and take it over into a new stack by resource import."""
