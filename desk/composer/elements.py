"""Values of an export with their paths, and what a conversion finds wrong or ignores in them."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from automation.system.errors import Finding
from desk.composer.json_text import step_of_path
from the_alchemiser.shared.symphony import canonical_symbol
from the_alchemiser.shared.symphony.forms import count_in, number_in

_LONGEST_SHOWN = 60
_LABELS = ("name", "ticker")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Element:
    """One value of an export, and where it is."""

    value: Any
    parent: "Element | None" = None
    key: str | int = ""

    @property
    def path(self) -> str:
        """Return the path from the top of the file, such as `$.children[0].ticker`."""
        steps = [step_of_path(element.key) for element in self._upward() if element.parent is not None]
        return "$" + "".join(reversed(steps))

    @property
    def label(self) -> str:
        """Return the step, and the name or ticker, of the node that the value belongs to."""
        node: dict[str, Any] = next((element.value for element in self._upward() if "step" in element.keys), {})
        names = (node.get(key) for key in _LABELS)
        name = next((shown(name) for name in names if isinstance(name, str) and name), "")
        return f"{node.get('step', '')} {name}".strip()

    @property
    def keys(self) -> Sequence[str]:
        """Return the keys of an object; nothing for any other value."""
        return tuple(self.value) if isinstance(self.value, dict) else ()

    def get(self, key: str) -> "Element | None":
        """Return the value of a key of an object; None if it is missing or null."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return None if value is None else Element(value, self, key)

    def items(self) -> "tuple[Element, ...]":
        """Return the items of a list; nothing for any other value."""
        values = self.value if isinstance(self.value, list) else []
        return tuple(Element(value, self, position) for position, value in enumerate(values))

    def members(self) -> "Iterator[Element]":
        """Yield what an object or a list contains."""
        for key in self.keys:
            yield Element(self.value[key], self, key)
        yield from self.items()

    def _upward(self) -> "Iterator[Element]":
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent


@dataclass(slots=True)
class Reading:
    """Typed access to the values of an export. A value that is wrong becomes a finding, and None is returned.

    Attributes:
        findings: everything that is wrong or not supported.
        ignored: the places of each key that the conversion does not know.
        remarks: what a person should know although the export can be converted.
    """

    findings: list[Finding] = field(default_factory=list)
    ignored: dict[str, list[Element]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def refuse(self, element: Element, what: str, fix: str = "") -> None:
        label = element.label
        self.findings.append(Finding(f"{element.path} ({label})" if label else element.path, what, fix))

    def required(self, node: Element, key: str, expected: str) -> Element | None:
        element = node.get(key)
        if element is None:
            self.refuse(node, f"{key} is missing, expected {expected}")
        return element

    def listed(self, node: Element, key: str, expected: str) -> tuple[Element, ...]:
        """Return the items of a list; nothing, and a finding, if there are none."""
        element = self.required(node, key, f"a list with at least {expected}")
        if element is not None and not element.items():
            what = "an empty list" if element.value == [] else shown(element.value)
            self.refuse(element, f"found {what}, expected a list with at least {expected}")
        return () if element is None else element.items()

    def text(self, node: Element, key: str, expected: str) -> str | None:
        element = self.required(node, key, expected)
        if element is not None and not isinstance(element.value, str):
            self._unexpected(element, expected)
        return element.value if element is not None and isinstance(element.value, str) else None

    def number(self, node: Element, key: str, expected: str = "a number") -> Decimal | None:
        """Return a number; Composer writes it as a number or as a text."""
        element = self.required(node, key, expected)
        if element is None:
            return None
        number = _decimal(element.value)
        if number is None:
            self._unexpected(element, expected)
        return number

    def count(self, node: Element, key: str, expected: str) -> int | None:
        """Return a whole number of at least 1, written as a number or as a text."""
        element = self.required(node, key, expected)
        if element is None:
            return None
        number = _decimal(element.value)
        count = count_in(str(int(number))) if number is not None and number == int(number) else None
        if count is None:
            self._unexpected(element, f"{expected}, a whole number of at least 1")
        return count

    def symbol(self, node: Element, key: str) -> str | None:
        element = self.required(node, key, "a ticker")
        return None if element is None else self.symbol_in(element)

    def symbol_in(self, element: Element) -> str | None:
        if not isinstance(element.value, str):
            self._unexpected(element, "a ticker")
            return None
        try:
            return canonical_symbol(element.value)
        except ValueError:
            self.refuse(element, f"found {shown(element.value)}, which is not the ticker of a US stock or ETF")
            return None

    def flag(self, node: Element, key: str) -> bool | None:
        """Return true or false; None if the key is missing, null or something else."""
        element = node.get(key)
        if element is not None and not isinstance(element.value, bool):
            self._unexpected(element, "true or false")
        return element.value if element is not None and isinstance(element.value, bool) else None

    def choice[T](self, node: Element, key: str, known: Mapping[str, T]) -> T | None:
        expected = f"one of {', '.join(known)}"
        text = self.text(node, key, expected)
        if text is None or text in known:
            return None if text is None else known[text]
        self.refuse(Element(text, node, key), f"found {shown(text)}, which is not supported; expected {expected}")
        return None

    def note_unknown_keys(self, node: Element, known: frozenset[str]) -> None:
        for key in node.keys:
            if key not in known:
                self.ignored.setdefault(key, []).append(node)

    def _unexpected(self, element: Element, expected: str) -> None:
        self.refuse(element, f"found {shown(element.value)}, expected {expected}")


class Opened[T](NamedTuple):
    """A value of a tree whose parts are converted before it.

    Attributes:
        finish: combines the converted parts; None if the value cannot be converted, so that only its parts are read.
            It may refuse them, too.
    """

    parts: Sequence[Element]
    finish: Callable[[tuple[T, ...]], T | None] | None


def fold[T](root: Element, open_: Callable[[Element], Opened[T]]) -> T | None:
    """Convert a tree from its leaves to its root, without recursion; None if any part of it cannot be converted."""
    pending = [(open_(root), list[T | None]())]
    while True:
        opened, results = pending[-1]
        if len(results) < len(opened.parts):
            pending.append((open_(opened.parts[len(results)]), []))
            continue
        pending.pop()
        converted = tuple(result for result in results if result is not None)
        is_complete = opened.finish is not None and len(converted) == len(results)
        outcome = opened.finish(converted) if opened.finish and is_complete else None
        if not pending:
            return outcome
        pending[-1][1].append(outcome)


def shown(value: Any) -> str:
    """Return a value as JSON for a message; objects and lists by their kind."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    text = str(value).strip()
    return None if number_in(text) is None else Decimal(text)
