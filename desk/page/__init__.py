"""`inv desk`: a local web page over a deployed environment."""
