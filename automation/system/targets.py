"""The target of calls to AWS. It has its own module because aws.py imports boto3, which is slow to import."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# A process with both assumes this role, with the token in the file: a job of GitHub Actions, for example.
ROLE_VARIABLES = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
_HIDDEN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True, slots=True)
class Target:
    """The target of calls: AWS, or an endpoint that replaces it.

    Attributes:
        endpoint: URL of every service; empty for AWS itself.
        key_id, secret: credentials; empty for those that boto3 finds by itself.
    """

    region: str
    endpoint: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        return bool(self.endpoint) and urlsplit(self.endpoint).hostname in _LOOPBACK

    def variables(self) -> dict[str, str]:
        """Return the environment variables that send a child program (sam) to this target."""
        variables = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        if self.endpoint:
            variables |= {"AWS_ENDPOINT_URL": self.endpoint}
        if self.key_id:
            variables |= {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}
        if self.is_loopback:
            variables |= {"NO_PROXY": ",".join(sorted(_LOOPBACK)), "no_proxy": ",".join(sorted(_LOOPBACK))}
        return variables

    def hidden_variables(self) -> tuple[str, ...]:
        """Return the variables that a child program must not see, because they would override our credentials."""
        return _HIDDEN if self.key_id else ()
