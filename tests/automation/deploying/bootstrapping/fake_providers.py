"""The identity providers of one account in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

ARN = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


@dataclass
class FakeProviders:
    """The audiences of each provider; `on_call` is called before each change, and may raise."""

    known: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str], None] = lambda _name: None

    def audiences(self, arn: str) -> tuple[str, ...] | None:
        return tuple(self.known[arn]) if arn in self.known else None

    def create(self, url: str, audience: str) -> None:
        self.on_call("create")
        self.calls.append(f"create {url}")
        self.known[ARN] = [audience]

    def add_audience(self, arn: str, audience: str) -> None:
        self.calls.append(f"add {audience}")
        self.known[arn].append(audience)
