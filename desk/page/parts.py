"""The parts of the page: each shows one feed, loads on its own, and says itself what is wrong with it."""

import hashlib
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment as Templates

from desk.data import quality
from desk.html_templates import template_environment
from desk.operations import situation_view
from desk.page.feeds import Feed, Problem, Reading
from desk.page.redaction import shortened
from desk.report import add_report_vocabulary


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page; the template is `desk/<name>.html`.

    Attributes:
        feed: the name of the feed that it shows.
        key: the keyboard shortcut that jumps to it.
    """

    name: str
    title: str
    feed: str
    key: str


PARTS = (
    Part("today", "Today", "trading", "1"),
    Part("account", "Account", "account", "2"),
    Part("equity", "Equity", "equity", "3"),
    Part("strategies", "Strategies", "trading", "4"),
    Part("trades", "Trades", "trading", "5"),
    Part("data", "Market data", "data", "6"),
    Part("queues", "Queues", "queues", "7"),
    Part("alarms", "Alarms", "stacks", "8"),
    Part("releases", "Releases", "stacks", "9"),
    Part("sizes", "Sizes", "stacks", "0"),
)
_BY_NAME = {part.name: part for part in PARTS}


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part as HTML, and the reading that it shows, which should be renewed every `every_s` seconds."""

    part: Part
    html: str
    reading: Reading[object]
    every_s: float

    @property
    def tag(self) -> str:
        """Return the ETag of the HTML."""
        return f'"{hashlib.sha256(self.html.encode()).hexdigest()[:20]}"'

    @property
    def next_ms(self) -> int:
        """Return after how many milliseconds to ask again."""
        return 400 if self.reading.is_running else max(round(self.reading.next_s * 1000), 250)

    @property
    def stale_ms(self) -> int:
        """Return after how many milliseconds without a new value the page marks the part as old."""
        return round(2000 * self.every_s) + 10_000


def find(name: str) -> Part | None:
    """Return the part of a name; None when there is none."""
    return _BY_NAME.get(name)


class Renderer:
    """Renders parts, and keeps the HTML of each for as long as its feed has the same value."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._rendered: dict[str, tuple[object, Problem | None, str]] = {}

    def render(self, part: Part, feed: Feed[object]) -> Fragment:
        """Return a part as it is known now."""
        reading = feed.latest()
        value, problem, html = self._rendered.get(part.name, (None, None, ""))
        if not html or value is not reading.value or problem is not reading.problem:
            template = templates().get_template(f"desk/{part.name}.html")
            html = template.render(
                part=part, value=reading.value, problem=reading.problem, environment=self._environment
            )
            self._rendered[part.name] = (reading.value, reading.problem, html)
        return Fragment(part, html, reading, feed.every_s)


@cache
def templates() -> Templates:
    """Return the page's templates, with the words and charts of the day report."""
    environment = template_environment()
    add_report_vocabulary(environment)
    environment.globals.update(situation=situation_view, quality=quality.table_vocabulary(), shortened=shortened)
    return environment
