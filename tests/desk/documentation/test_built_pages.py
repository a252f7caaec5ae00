"""What is wrong with a built site, each with a planted fault."""

from pathlib import Path

import pytest

from automation.system.errors import Finding
from desk.documentation import built_pages
from tests.automation.projects import write_files

SOUND = """<!doctype html><html><head>
<link rel="canonical" href="https://example.org/a.html"><link rel="stylesheet" href="style.css">
<style>body { background: url(data:image/png;base64,AAAA) }</style></head><body>
<h1 id="top">A</h1><a name="old"></a>
<a href="b/">folder</a> <a href="b/index.html#else">anchor</a> <a href="#top">up</a> <a href="#old">old</a>
<a href="https://example.org/elsewhere">a link waits for a click</a> <a href="mailto:a@example.org">mail</a>
<a href="a%20file.txt">a file</a> <img src="data:image/png;base64,AAAA"> <script>run()</script>
</body></html>"""
SITE = {
    "a.html": SOUND,
    "b/index.html": '<p id="else">B</p><a href="../a.html#top">A</a>',
    "style.css": 'p { background: url("image.png") }',
    "a file.txt": "text",
}


def findings(root: Path, body: str = "", css: str = "") -> list[Finding]:
    write_files(
        root, {**SITE, "a.html": SOUND.replace("</body>", f"{body}</body>"), "style.css": SITE["style.css"] + css}
    )
    return list(built_pages.findings(root))


def test_findings_of_a_sound_site_are_none(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('<a href="gone.html">x</a>', "links to gone.html, which does not exist"),
        ('<a href="c/">x</a>', "links to c/, which does not exist"),
        ('<img src="no.png">', "links to no.png, which does not exist"),
        ('<a href="#nowhere">x</a>', "links to #nowhere, but that page has no such anchor"),
        ('<a href="b/#top">x</a>', "links to b/#top, but that page has no such anchor"),
    ],
)
def test_findings_name_a_link_to_nothing(body: str, what: str, tmp_path: Path) -> None:
    assert findings(tmp_path, body) == [Finding("a.html", what, "correct the link")]


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ('<script src="https://cdn.example.org/x.js"></script>', "https://cdn.example.org/x.js"),
        ('<script src="//cdn.example.org/x.js"></script>', "//cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="https://fonts.example.org/css">', "https://fonts.example.org/css"),
        ('<img src="http://example.org/x.png">', "http://example.org/x.png"),
        ('<iframe src="https://example.org/"></iframe>', "https://example.org/"),
        ("<style>@import url(https://example.org/a.css);</style>", "https://example.org/a.css"),
        ("<p style=\"background: url('//example.org/b.png')\"></p>", "//example.org/b.png"),
    ],
)
def test_findings_name_a_request_to_another_host(body: str, target: str, tmp_path: Path) -> None:
    assert findings(tmp_path, body) == [Finding("a.html", f"requests {target}", "ship the file with the site")]


@pytest.mark.parametrize(
    ("css", "target"),
    [
        ('@import "https://example.org/a.css";', "https://example.org/a.css"),
        ("p { src: url(//example.org/font.woff2) }", "//example.org/font.woff2"),
    ],
)
def test_findings_name_a_request_of_a_style_sheet(css: str, target: str, tmp_path: Path) -> None:
    assert findings(tmp_path, css=css) == [Finding("style.css", f"requests {target}", "ship the file with the site")]
