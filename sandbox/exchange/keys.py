"""The keys that the paper exchange and the second source accept unless they are started with others."""

SANDBOX_KEY = "sandbox-key"
SANDBOX_SECRET = "sandbox-secret"  # noqa: S105 - a dummy, the same for everyone
SECOND_KEY = "sandbox-second-key"
