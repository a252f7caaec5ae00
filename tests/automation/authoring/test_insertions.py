import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.authoring import insertions
from automation.authoring.scaffolds import Insertion
from automation.system.errors import ConfigurationError

VALUES = {"module": "risk", "message": "Sold"}
ROUTES = """\
R = {
    Sold: Route(T, ("x",), ("y",)),
    Gone: Route(
        T,
        ("x, (z)", 'w'),
        ("y",),
    ),
    Lost: Route(T, (), ()),
    Rest: [
        "a",
        f(1, [2]),
    ],
}
"""


def test_insert_puts_a_text_before_or_behind_its_anchor() -> None:
    before = Insertion("f", "^b", "${module}\n", is_before=True)
    behind = Insertion("f", "^b$$", "-${module}")

    assert insertions.insert("a\nb\nc\n", before, VALUES) == "a\nrisk\nb\nc\n"
    assert insertions.insert("a\nb\nc\n", behind, VALUES) == "a\nb-risk\nc\n"


def test_insert_takes_a_placeholder_in_an_anchor_literally() -> None:
    insertion = Insertion("f", "^${module}", "!")

    assert insertions.insert("a.b\naxb\n", insertion, {"module": "a.b"}) == "a.b!\naxb\n"


@pytest.mark.parametrize(("text", "count"), [("a\n", 0), ("b\nb\n", 2)])
def test_insert_needs_its_anchor_once(text: str, count: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        insertions.insert(text, Insertion("f.py", "^b", "x"), VALUES)

    assert str(raised.value) == (
        f"f.py: the scaffold inserts text at '^b', which is there {count} times instead of once; "
        "restore the place, or correct scaffold.toml"
    )


@pytest.mark.parametrize(
    ("anchor", "line"),
    [
        (r"Sold: Route\(T, \([^)]*\), \(", '    Sold: Route(T, ("x",), ("y", "risk")),'),
        (r"Lost: Route\(T, \([^)]*\), \(", '    Lost: Route(T, (), ("risk",)),'),
        (r"Gone: Route\(\s+T,\s+\(", '        ("x, (z)", \'w\', "risk"),'),
        (r"Rest: \[", '        "risk",'),
    ],
)
def test_insert_item_keeps_the_layout_of_its_list(anchor: str, line: str) -> None:
    insertion = Insertion("f", anchor, '"${module}"', is_item=True)

    inserted = insertions.insert(ROUTES, insertion, VALUES)

    assert line in inserted.splitlines()
    assert insertions.remove(inserted, insertion, VALUES) == ROUTES


def test_insert_item_keeps_crlf() -> None:
    insertion = Insertion("f", r"A = \[", "${module}", is_item=True)

    assert insertions.insert("A = [\r\n  x,\r\n]\r\n", insertion, VALUES) == "A = [\r\n  x,\r\n  risk,\r\n]\r\n"


def test_remove_item_leaves_other_items() -> None:
    insertion = Insertion("f", r"A = \[", "${module}", is_item=True)

    assert insertions.remove("A = [a, risk, b]", insertion, VALUES) == "A = [a, b]"
    assert insertions.remove("A = [a, b]", insertion, VALUES) == "A = [a, b]"


def test_remove_item_without_its_list_changes_nothing() -> None:
    assert insertions.remove("B = [risk]", Insertion("f", r"A = \[", "risk", is_item=True), VALUES) == "B = [risk]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a | risk", "a"),
        ("a | risk | risk_b", "a | risk_b"),
        ("a | my_risk", "a | my_risk"),
        ("a | risk | risk", "a | risk | risk"),
        ("a", "a"),
    ],
)
def test_remove_takes_a_text_out_that_is_there_once(text: str, expected: str) -> None:
    assert insertions.remove(text, Insertion("f", "^a", " | ${module}"), VALUES) == expected


def test_remove_respects_words_at_its_ends() -> None:
    insertion = Insertion("f", "^a", "${module} ")

    assert insertions.remove("asterisk risk b", insertion, VALUES) == "asterisk b"


@given(st.lists(st.sampled_from(["a", "b\nc", " risk", "risk_", "|"]), max_size=5), st.booleans())
def test_remove_undoes_insert(lines: list[str], is_before: bool) -> None:
    text = "\n".join([*lines, "ANCHOR", *lines])
    insertion = Insertion("f", "ANCHOR", "\n<${module}>\n", is_before=is_before)

    assert insertions.remove(insertions.insert(text, insertion, VALUES), insertion, VALUES) == text
