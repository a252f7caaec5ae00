"""Plan a deployment, carry it out, test it, and go back when it does not work."""
