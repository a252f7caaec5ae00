"""Insert texts of a scaffold into files that exist, and take them out again. Pure."""

import re
from collections.abc import Callable, Mapping

from automation.authoring import scaffolds
from automation.authoring.scaffolds import Insertion
from automation.system.errors import ConfigurationError

# A string, a bracket, a comma, or a run of other characters: what a list in Python, TOML or JSON consists of.
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()\[\]{}]|,|[^"'()\[\]{},]+""")


def insert(text: str, insertion: Insertion, values: Mapping[str, str]) -> str:
    """Return the text with an insertion.

    Raises:
        ConfigurationError: the place for it is not there exactly once.
    """
    match, added = _place(text, insertion, values), _rendered(insertion, values)
    if insertion.is_item:
        return _with_items(text, match.end(), lambda items: [*items, added])
    position = match.start() if insertion.is_before else match.end()
    return text[:position] + added + text[position:]


def remove(text: str, insertion: Insertion, values: Mapping[str, str]) -> str:
    """Return the text without what `insert` inserted; unchanged when it is not there exactly once."""
    added = _rendered(insertion, values)
    if insertion.is_item:
        try:
            match = _place(text, insertion, values)
        except ConfigurationError:
            return text
        return _with_items(text, match.end(), lambda items: [item for item in items if item != added])

    head = r"(?<!\w)" if re.match(r"\w", added) else ""
    tail = r"(?!\w)" if re.search(r"\w\Z", added) else ""
    places = list(re.finditer(head + re.escape(added) + tail, text))
    return text[: places[0].start()] + text[places[0].end() :] if len(places) == 1 else text


def _place(text: str, insertion: Insertion, values: Mapping[str, str]) -> re.Match[str]:
    escaped = {name: re.escape(value) for name, value in values.items()}
    anchor = scaffolds.render(insertion.anchor, escaped)
    matches = list(re.finditer(anchor, text, re.MULTILINE))
    if len(matches) != 1:
        times = f"which is there {len(matches)} times instead of once"
        message = f"the scaffold inserts text at {anchor!r}, {times}; restore the place, or correct {scaffolds.FILE}"
        raise ConfigurationError(message, where=insertion.file)
    return matches[0]


def _rendered(insertion: Insertion, values: Mapping[str, str]) -> str:
    return scaffolds.render(insertion.text, values)


def _with_items(text: str, start: int, change: Callable[[list[str]], list[str]]) -> str:
    """Return the text with the items of the list that opens before `start` changed, in the layout that it has."""
    items, end = _items(text, start)
    inside = text[start:end]
    changed = change(items)
    if "\n" in inside:
        newline = "\r\n" if "\r\n" in inside else "\n"
        indent = inside.lstrip("\r\n")[: len(inside.lstrip("\r\n")) - len(inside.lstrip())]
        last_line = inside[inside.rindex("\n") + 1 :]
        lines = "".join(f"{newline}{indent}{item}," for item in changed)
        return f"{text[:start]}{lines}{newline}{last_line}{text[end:]}"
    is_single = len(changed) == 1 and text[start - 1] == "("
    return f"{text[:start]}{', '.join(changed)}{',' if is_single else ''}{text[end:]}"


def _items(text: str, start: int) -> tuple[list[str], int]:
    """Return the items of a list, and where its closing bracket is."""
    items, current, depth, position = [], "", 0, start
    while depth >= 0:
        token = _TOKEN.match(text, position)
        if token is None:
            break
        depth += (token[0] in "([{") - (token[0] in ")]}")
        if token[0] == "," and not depth:
            items.append(current.strip())
            current = ""
        elif depth >= 0:
            current += token[0]
        position = token.end() if depth >= 0 else token.start()
    return [item for item in [*items, current.strip()] if item], position
