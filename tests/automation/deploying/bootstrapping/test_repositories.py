"""Which repository may deploy: the typed one, the deployed one, or that of git's origin."""

import pytest

from automation.deploying.bootstrapping import repositories
from automation.system.errors import UsageError

ORIGIN = "git@github.com:octocat/from-origin.git"


@pytest.mark.parametrize(
    ("given", "deployed", "chosen"),
    [("a/given", "a/deployed", "a/given"), ("", "a/deployed", "a/deployed"), ("", "", "octocat/from-origin")],
)
def test_choose_the_typed_one_comes_first(given: str, deployed: str, chosen: str) -> None:
    assert repositories.choose(given, deployed, ORIGIN) == chosen


@pytest.mark.parametrize("given", ["bakery", "a/b/c", "https://github.com/a/b", "a/b*", "a/*", "/b", "a/b:c"])
def test_choose_refuses_another_form(given: str) -> None:
    with pytest.raises(UsageError, match=r"^--repository: .* must be owner/name, as in octocat/hello-world"):
        repositories.choose(given, "a/b", ORIGIN)


def test_choose_without_any_asks_for_the_option() -> None:
    with pytest.raises(UsageError, match="name the repository that may deploy: --repository owner/name"):
        repositories.choose("", "", "/srv/bakery.git")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/octocat/bakery", "octocat/bakery"),
        ("https://github.com/octocat/bakery.git", "octocat/bakery"),
        ("https://token@github.com/octocat/bakery.git/", "octocat/bakery"),
        ("git@github.com:octocat/my.bakery.git", "octocat/my.bakery"),
        ("ssh://git@github.com/octocat/bakery.git", "octocat/bakery"),
        ("https://gitlab.com/octocat/bakery.git", ""),
        ("https://evil.test/github.com/octocat/bakery", ""),
        ("https://notgithub.com/octocat/bakery.git", ""),
        ("https://github.com.evil.test/octocat/bakery", ""),
        ("https://github.com/octocat/bakery/tree/main", ""),
        ("", ""),
    ],
)
def test_of_remote(url: str, name: str) -> None:
    assert repositories.of_remote(url) == name
