"""Find out what a deployment changes, property by property, from templates and change sets."""
