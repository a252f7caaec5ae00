"""Which parameters hold the address that gets alarms: those of the e-mail subscriptions in the templates."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.deploying.scope import Scope
from automation.project import templates
from automation.project.settings import TABLE
from automation.system.errors import UsageError

OPTION = "--alerts"
_SUBSCRIPTION, _TOPIC = "AWS::SNS::Subscription", "AWS::SNS::Topic"


def values(scope: Scope, address: str) -> dict[str, str]:
    """Return the values that let an address get the alarms, by parameter; none for an empty address.

    Raises:
        UsageError: no template subscribes an address that a person is asked for.
    """
    names = sorted(set(_parameters(scope)) & set(scope.project.settings.ask)) if address else []
    if address and not names:
        message = f"no template has an e-mail subscription whose endpoint is a parameter in ask of {TABLE}"
        raise UsageError(f"{message}; add one, or leave {OPTION} out", where=OPTION)
    return dict.fromkeys(names, address)


def _parameters(scope: Scope) -> Iterator[str]:
    for settings in scope.stacks:
        for resource in settings.stack.template.resources.values():
            properties = resource.get("Properties") or {}
            entries = [properties] if resource["Type"] == _SUBSCRIPTION else []
            entries += properties.get("Subscription") or [] if resource["Type"] == _TOPIC else []
            for entry in entries:
                yield from _endpoint(entry)


def _endpoint(subscription: Mapping[str, Any]) -> frozenset[str]:
    is_mail = str(subscription.get("Protocol")).startswith("email")
    return templates.references(subscription.get("Endpoint")) if is_mail else frozenset()
