"""Code that `inv watch` has put into deployed functions: what it replaced, and the way back."""
