"""The page of all settings."""

from itertools import chain

from automation.project import setting_keys
from automation.reference import setting_page


def test_page_has_every_key_with_type_default_and_meaning() -> None:
    page = setting_page.page()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    keys = [*chain.from_iterable(setting_keys.TABLES.values()), *setting_keys.METADATA]

    assert len(rows) == len(keys)
    for row, key in zip(rows, keys, strict=True):
        assert row.startswith(f"| `{key.name}` | ")
        assert all((key.kind, key.meaning))
    assert "| `package` | text | none | the namespace package that `inv sync` copies from; " in page
    assert "| `region` | text | **required** | the region of AWS |" in page
    assert "| `keep_releases` | number | 20 | how many " in page


def test_page_has_a_section_per_table() -> None:
    sections = [line for line in setting_page.page().splitlines() if line.startswith("## ")]

    assert sections == [*(f"## `{name}`" for name in setting_keys.TABLES), "## In the template"]
