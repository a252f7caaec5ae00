"""Every value of a mail is escaped, and what is HTML already comes from literals only."""

import ast
from pathlib import Path

import pytest

from the_alchemiser.shared.mail_format import html_blocks, html_part, markup
from the_alchemiser.shared.mail_format.markup import Html, fill, joined


def test_fill_escapes_every_character_that_html_gives_a_meaning() -> None:
    assert fill("<b>{}</b>", '<i> & "it\'s"') == "<b>&lt;i&gt; &amp; &#34;it&#39;s&#34;</b>"


@pytest.mark.parametrize("value", ["<b>{}</b>", "&amp;", "{0.__class__}"])
def test_fill_treats_a_value_as_text_however_it_looks(value: str) -> None:
    assert fill("{}{name}", value, name=value) == value.translate(markup._ESCAPES) * 2


def test_fill_escapes_values_that_are_not_text() -> None:
    assert fill("{}, {}, {:>3}", ["<"], None, 1) == "[&#39;&lt;&#39;], None,   1"


def test_fill_escapes_the_fields_of_a_value() -> None:
    assert fill("{0.args}", ValueError("<")) == "(&#39;&lt;&#39;,)"


def test_filled_html_is_not_escaped_again() -> None:
    assert fill("<p>{}</p>", joined([fill("<b>{}</b>", "&"), fill("<i></i>")])) == "<p><b>&amp;</b><i></i></p>"


@pytest.mark.parametrize("text", [f"{fill('<b>')}", fill("<b>") + "", fill("<b>").lower()])
def test_html_that_was_changed_is_text(text: str) -> None:
    assert fill("{}", text) == "&lt;b&gt;"


@pytest.mark.parametrize("module", [markup, html_blocks, html_part])
def test_templates_are_literals_and_nothing_else_becomes_html(module: object) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    templates = [call.args[0] for call in calls if ast.unparse(call.func) == "fill"]
    conversions = [ast.unparse(call) for call in calls if ast.unparse(call.func) == "Html" and call.args]

    assert [ast.unparse(template) for template in templates if not isinstance(template, ast.Constant)] == []
    assert conversions == (
        ["Html(_ESCAPING.vformat(template, values, named))", "Html(''.join(parts))"] if module is markup else []
    )
    assert bool(templates) is (module is not markup)
    assert isinstance(Html(), str)
