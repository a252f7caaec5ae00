"""Show a plan as text, JSON or Markdown."""
