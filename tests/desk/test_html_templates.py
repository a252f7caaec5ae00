from decimal import Decimal

from jinja2 import StrictUndefined

from desk.html_templates import template_environment


def rendered(template: str, **values: object) -> str:
    return template_environment().from_string(template).render(values)


def test_negative_amount_is_joined_to_its_sign() -> None:
    """A browser may break a line between both; the joiner has no width."""
    joined = "\N{MINUS SIGN}\N{WORD JOINER}$1.00"

    assert rendered("{{ loss|money }} {{ text }}", loss=Decimal(-1), text="<\N{MINUS SIGN}$1.00") == (
        f"{joined} &lt;{joined}"
    )
    assert rendered("{% macro a(x) %}<b>{{ x|money }}</b>{% endmacro %}{{ a(loss) }}", loss=Decimal(-1)) == (
        f"<b>{joined}</b>"
    )


def test_other_values_are_written_as_they_are() -> None:
    assert rendered(
        "{{ gain|signed_money }} {{ n }} {{ part|percent }}", gain=Decimal(1), n=2, part=Decimal("-0.5")
    ) == ("+$1.00 2 \N{MINUS SIGN}50.00%")
    assert template_environment().undefined is StrictUndefined
