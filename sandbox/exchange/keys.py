"""The keys that the paper exchange accepts unless it is started with others."""

SANDBOX_KEY = "sandbox-key"
SANDBOX_SECRET = "sandbox-secret"  # noqa: S105 - a dummy, the same for everyone
