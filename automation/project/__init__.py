"""The templates, pyproject.toml and samconfig.toml, read into values."""
