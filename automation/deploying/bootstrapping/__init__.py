"""What an account needs once: the bucket for artifacts, the deploy role with its grants, the product's own steps."""
