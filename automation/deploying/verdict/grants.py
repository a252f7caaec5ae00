"""The grants of IAM policy documents, and which of them are new. Wildcards, order and splitting are understood."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

from automation.deploying.verdict.property_texts import as_list, text_of

ANYONE = "*"
_EVERYTHING = frozenset({"*", "0.0.0.0/0", "::/0"})
ALL_BUT = "all but "
# Only these condition keys say who calls; a condition such as "only over TLS" still lets everybody in.
# Source: IAM user guide, "AWS global condition context keys", and the keys of the services' resource policies.
_RESTRICTING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "kms:calleraccount",
        "lambda:eventsourcetoken",
    }
)

type Conditions = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that is allowed, or denied, on one resource.

    Attributes:
        principal: who; empty in the policies of a role, which grant to the role itself.
        action: such as `s3:GetObject`; for a NotAction `all but s3:PutObject`.
        conditions: operator, key and values of each condition.
    """

    action: str
    resource: str = ""
    principal: str = ""
    is_deny: bool = False
    conditions: Conditions = frozenset()

    @property
    def is_public(self) -> bool:
        """Whether everybody gets it: any principal, and no condition that says who calls."""
        is_anyone = self.principal == ANYONE or self.principal.startswith(ALL_BUT)
        return is_anyone and not self.is_deny and not any(map(_is_restricting, self.conditions))


def grants_of(document: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return the grants of a policy document, one per principal, action and resource."""
    return tuple(chain.from_iterable(_of_statement(statement) for statement in as_list(document.get("Statement"))))


def conditions_of(block: Any) -> Conditions:
    """Return the conditions of a statement's Condition block."""
    return frozenset(_conditions(block)) if isinstance(block, Mapping) else frozenset()


def as_document(value: Any) -> Mapping[str, Any] | None:
    """Return a value as a policy document, which may be JSON text; None for any other value."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, Mapping):
        return None
    statements = as_list(value.get("Statement"))
    is_document = any(isinstance(statement, Mapping) and "Effect" in statement for statement in statements)
    return value if is_document else None


def new_grants(before: Iterable[Grant], after: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return what is allowed after and was not before: new grants, then the denials that are gone."""
    old, new = tuple(before), tuple(after)
    allowed = tuple(grant for grant in new if not grant.is_deny and not is_covered(grant, old))
    no_longer_denied = tuple(grant for grant in old if grant.is_deny and not is_covered(grant, new))
    return allowed + no_longer_denied


def is_covered(grant: Grant, wider: Iterable[Grant]) -> bool:
    """Return whether one of the grants includes this grant: the same, a wildcard, or fewer conditions."""
    return any(_covers(candidate, grant) for candidate in wider)


def is_match(pattern: str, text: str) -> bool:
    """Return whether an IAM pattern includes everything that `text`, which may be a pattern too, includes."""
    if pattern in {text, "*"}:
        return True
    if pattern.startswith(ALL_BUT) or text.startswith(ALL_BUT):
        return False
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "[^*]")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def describe(grants: Iterable[Grant]) -> tuple[str, ...]:
    """Return the grants as sentences, the actions and the resources that go together in one."""
    actions: dict[tuple[str, str, bool, Conditions], list[str]] = defaultdict(list)
    for grant in grants:
        actions[grant.principal, grant.resource, grant.is_deny, grant.conditions].append(grant.action)

    resources: dict[tuple[str, str, bool, Conditions], list[str]] = defaultdict(list)
    for (principal, resource, is_deny, conditions), names in actions.items():
        resources[principal, ", ".join(dict.fromkeys(names)), is_deny, conditions].append(resource)
    return tuple(_sentence(*key, places=names) for key, names in resources.items())


def join(grants: Iterable[Grant], *more: str) -> str:
    """Return the grants and more sentences as one text; where several begin with `may`, only the first one does."""
    sentences = [*describe(grants), *more]
    previous = ["", *sentences]
    return "; ".join(
        sentence.removeprefix("may ") if before.startswith("may ") else sentence
        for before, sentence in zip(previous, sentences, strict=False)
    )


def _is_restricting(condition: tuple[str, str, frozenset[str]]) -> bool:
    """Return whether a condition says who calls: a negated one, or one that a missing key passes, does not."""
    operator, key, values = condition
    is_positive = "Not" not in operator and not operator.endswith("IfExists")
    return is_positive and key.lower() in _RESTRICTING_KEYS and not values & _EVERYTHING


def _sentence(principal: str, actions: str, is_deny: bool, conditions: Conditions, *, places: list[str]) -> str:
    subject = "anyone" if principal == ANYONE else principal
    where = f" on {', '.join(places)}" if any(places) else ""
    when = f" if {' and '.join(sorted(map(_condition_text, conditions)))}" if conditions else ""
    if is_deny:
        return f"no longer denied{f' to {subject}' if subject else ''}: {actions}{where}{when}"
    return f"{f'{subject} ' if subject else ''}may {actions}{where}{when}"


def _condition_text(condition: tuple[str, str, frozenset[str]]) -> str:
    operator, key, values = condition
    return f"{key} {operator} {', '.join(sorted(values))}"


def _of_statement(statement: Any) -> Iterator[Grant]:
    if not isinstance(statement, Mapping) or "Effect" not in statement:
        # An intrinsic such as Fn::If: nobody can read what it grants, so a new text counts as a new grant.
        yield Grant(f"what {text_of(statement)} grants")
        return
    conditions = conditions_of(statement.get("Condition"))
    is_deny = statement["Effect"] == "Deny"
    parts = product(_principals(statement), _names(statement, "Action"), _names(statement, "Resource"))
    for principal, action, resource in parts:
        yield Grant(action, resource, principal, is_deny=is_deny, conditions=conditions)


def _names(statement: Mapping[str, Any], key: str) -> list[str]:
    if f"Not{key}" in statement:
        return [ALL_BUT + ", ".join(sorted(map(text_of, as_list(statement[f"Not{key}"]))))]
    return [text_of(value) for value in as_list(statement.get(key))] or [""]


def _principals(statement: Mapping[str, Any]) -> list[str]:
    if "NotPrincipal" in statement:
        return [ALL_BUT + ", ".join(sorted(_principal_names(statement["NotPrincipal"])))]
    return _principal_names(statement.get("Principal")) or [""]


def _principal_names(principal: Any) -> list[str]:
    if not isinstance(principal, Mapping) or set(principal) - {"AWS", "Service", "Federated", "CanonicalUser"}:
        return [text_of(name) for name in as_list(principal)]
    return [text_of(name) for name in chain.from_iterable(map(as_list, principal.values()))]


def _conditions(block: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            yield operator, "", frozenset({text_of(keys)})
            continue
        for key, values in keys.items():
            yield operator, key, frozenset(map(text_of, as_list(values)))


def _covers(wider: Grant, grant: Grant) -> bool:
    return (
        wider.is_deny is grant.is_deny
        and bool(wider.principal) == bool(grant.principal)
        and is_match(wider.principal, grant.principal)
        and is_match(wider.action.lower(), grant.action.lower())
        and is_match(wider.resource, grant.resource)
        and all(_is_implied(condition, grant.conditions) for condition in wider.conditions)
    )


def _is_implied(condition: tuple[str, str, frozenset[str]], stricter: Conditions) -> bool:
    """Return whether one of the stricter conditions holds only where this condition holds."""
    operator, key, values = condition
    for stricter_operator, stricter_key, stricter_values in stricter:
        if (stricter_operator, stricter_key.lower()) != (operator, key.lower()):
            continue
        # Several values mean "any of them", and with a negated operator "none of them".
        if "Not" in operator:
            return values <= stricter_values
        if "Like" in operator or "Arn" in operator:
            return all(any(is_match(value, text) for value in values) for text in stricter_values)
        return stricter_values <= values
    return False
