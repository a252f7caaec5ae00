"""Choose what old releases have left over in an account, and delete it."""
