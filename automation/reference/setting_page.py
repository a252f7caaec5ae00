"""Every setting of pyproject.toml, and of the metadata of a function or layer."""

from automation.project import setting_keys
from automation.project.setting_keys import Key
from automation.system import markdown

_TITLE = "# The settings in pyproject.toml"
_METADATA = (
    "In the template, a function or layer may have settings of its own: `Metadata: {Alchemiser: {BudgetMB: 27}}`."
)


def page() -> str:
    """Return the page: a table per table of pyproject.toml, then the metadata."""
    parts = [_TITLE, "A key that is not listed here is an error."]
    for name, keys in setting_keys.TABLES.items():
        parts += [f"## `{name}`", _table(keys)]
    return "\n\n".join([*parts, "## In the template", _METADATA, _table(setting_keys.METADATA)]) + "\n"


def _table(keys: tuple[Key, ...]) -> str:
    rows = [(f"`{key.name}`", key.kind, key.default or "**required**", key.meaning) for key in keys]
    return markdown.table(("key", "type", "default", "meaning"), rows, cell=_cell)


def _cell(text: str) -> str:
    return text if text == "**required**" else markdown.with_code(text)
