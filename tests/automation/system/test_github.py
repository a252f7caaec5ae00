"""The job and its comments: one comment per marker, written by this program, whatever else is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.system import github as front
from automation.system import web
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.github_server import BOT, PERSON, REPOSITORY, TOKEN, Fault, GitHub, served

pytestmark = pytest.mark.enable_socket

MARKER = "<!-- inv size -->"
BODY = f"{MARKER}\nnew"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served() as github:
        yield github


def comment(github: GitHub, folder: Path, *, timeout_s: float = 5.0) -> str:
    job = front.job(github.variables(folder))
    assert job is not None
    service = web.Service("GitHub's API", TOKEN, timeout_s, lambda _seconds: None)
    return front.comment(job, MARKER, BODY, service)


def test_job_of_a_pull_request(github: GitHub, tmp_path: Path) -> None:
    assert front.job(github.variables(tmp_path, number=12)) == front.Job(
        REPOSITORY, github.url, 12, is_of_fork=False, summary=tmp_path / "summary.md"
    )


def test_job_of_a_fork_and_of_a_push(github: GitHub, tmp_path: Path) -> None:
    fork = front.job(github.variables(tmp_path, fork=True))
    push = front.job(github.variables(tmp_path, number=0))

    assert (fork and fork.pull_request, fork and fork.is_of_fork) == (7, True)
    assert (push and push.pull_request, push and push.is_of_fork) == (0, False)


@pytest.mark.parametrize("head", ['{"repo": null}', "{}", "null"])
def test_job_of_a_deleted_fork_is_of_a_fork(github: GitHub, tmp_path: Path, head: str) -> None:
    variables = github.variables(tmp_path)
    (tmp_path / "event.json").write_text(f'{{"pull_request": {{"number": 7, "head": {head}}}}}')

    job = front.job(variables)

    assert job is not None
    assert job.is_of_fork


def test_job_of_the_same_repository_in_other_letters_is_not_of_a_fork(github: GitHub, tmp_path: Path) -> None:
    job = front.job(github.variables(tmp_path, GITHUB_REPOSITORY="Shop/Till"))

    assert job is not None
    assert not job.is_of_fork


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_EVENT_PATH", ""),
        ("GITHUB_EVENT_PATH", None),
        ("GITHUB_REPOSITORY", ""),
        ("GITHUB_REPOSITORY", None),
        ("GITHUB_REPOSITORY", "a/b/c"),
    ],
)
def test_job_elsewhere_is_none(github: GitHub, tmp_path: Path, name: str, value: str | None) -> None:
    variables = github.variables(tmp_path)
    del variables[name]

    assert front.job(variables if value is None else {**variables, name: value}) is None


def test_job_without_optional_variables_has_the_public_api_and_no_summary(github: GitHub, tmp_path: Path) -> None:
    variables = github.variables(tmp_path)
    del variables["GITHUB_API_URL"], variables["GITHUB_STEP_SUMMARY"]

    assert front.job(variables) == front.Job(REPOSITORY, "https://api.github.com", 7)
    assert front.job({**variables, "GITHUB_API_URL": "https://own.test/api/"}) == front.Job(
        REPOSITORY, "https://own.test/api", 7, is_of_fork=False, summary=None
    )
    assert front.Job(REPOSITORY, "") == front.Job(REPOSITORY, "", 0, is_of_fork=False, summary=None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pull_request": {"number": "../../x"}}', '{"pull_request": [1]}'])
def test_job_with_an_event_that_cannot_be_read_raises(github: GitHub, tmp_path: Path, text: str) -> None:
    variables = github.variables(tmp_path)
    (tmp_path / "event.json").write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        front.job(variables)

    assert str(caught.value).startswith(f"{tmp_path / 'event.json'}: the event of the job cannot be read: ")


def test_comment_is_created_once_and_then_updated(github: GitHub, tmp_path: Path) -> None:
    github.add("hello", PERSON)

    urls = [comment(github, tmp_path), comment(github, tmp_path)]

    assert github.bodies() == ["hello", BODY]
    assert urls == [f"{github.url}/7#101"] * 2
    assert [request.split()[0] for request in github.requests] == ["GET", "POST", "GET", "PATCH"]


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_comment_is_found_on_later_pages(github: GitHub, tmp_path: Path, count: int) -> None:
    for index in range(count):
        github.add(f"{index}", PERSON)
    github.add(f"{MARKER}\nold", BOT)

    comment(github, tmp_path)

    assert github.bodies()[count:] == [BODY]


@pytest.mark.parametrize(
    ("body", "user"),
    [
        (f"{MARKER}\nof a person", PERSON),
        (f"I quote\n{MARKER}", BOT),
        ("<!-- inv diff --env prod -->\n", BOT),
        ("", BOT),
        (MARKER, {}),
    ],
)
def test_comment_never_overwrites_another(github: GitHub, tmp_path: Path, body: str, user: dict[str, str]) -> None:
    """Planted fault: somebody writes our marker."""
    github.add(body, user)

    comment(github, tmp_path)

    assert github.bodies() == [body, BODY]


@pytest.mark.parametrize(
    "fault", [Fault(is_late=True), Fault(502, is_late=True), Fault(201, "{}", is_late=True, is_slow=True)]
)
def test_comment_whose_answer_is_lost_is_not_repeated(github: GitHub, tmp_path: Path, fault: Fault) -> None:
    github.faults = [Fault(200, "[]"), fault]

    comment(github, tmp_path, timeout_s=0.3)

    assert github.bodies() == [BODY]


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_comment_refused_names_the_permission(github: GitHub, tmp_path: Path, status: int) -> None:
    github.faults = [Fault(200, "[]"), Fault(status, '{"message": "Resource not accessible by integration"}')]

    with pytest.raises(ToolError) as caught:
        comment(github, tmp_path)

    assert str(caught.value).startswith(f"GitHub's API: GitHub refused the comment: {status} ")
    assert str(caught.value).endswith(
        ": Resource not accessible by integration; give the job the permission pull-requests: write"
    )
    assert caught.value.exit_code == 5


def test_comment_when_the_comments_cannot_be_read_writes_nothing(github: GitHub, tmp_path: Path) -> None:
    github.faults = [Fault(403, '{"message": "no"}')]

    with pytest.raises(ToolError, match="the comments cannot be read: 403 Forbidden: no; give the job the permission"):
        comment(github, tmp_path)

    assert github.comments == []


@pytest.mark.parametrize("fault", [Fault(200, "{}"), Fault(404, "[]")])
def test_comment_when_the_answer_is_no_list_writes_nothing(github: GitHub, tmp_path: Path, fault: Fault) -> None:
    github.faults = [fault]

    with pytest.raises(ToolError, match=r"^GitHub's API: the comments cannot be read: "):
        comment(github, tmp_path)

    assert github.comments == []


@pytest.mark.parametrize("body", ["{}", "[]", "", '{"html_url": null}'])
def test_comment_without_an_address_is_written(github: GitHub, tmp_path: Path, body: str) -> None:
    github.faults = [Fault(200, "[]"), Fault(201, body)]

    assert comment(github, tmp_path) == ""


def test_comment_without_an_answer_is_unreachable(github: GitHub, tmp_path: Path) -> None:
    github.faults = [Fault(503, "{}")] * 3

    with pytest.raises(web.UnreachableError, match="failed: 503 Service Unavailable"):
        comment(github, tmp_path)


def test_service_without_a_token_says_what_to_add() -> None:
    with pytest.raises(ConfigurationError) as caught:
        front.service({})

    message = "is missing; add env: {GITHUB_TOKEN: ${{ github.token }}} to the step"
    assert str(caught.value) == f"GITHUB_TOKEN: {message}"
    assert front.service({"GITHUB_TOKEN": "t"}) == web.Service("GitHub's API", "t")


def test_add_to_summary_adds(github: GitHub, tmp_path: Path) -> None:
    job = front.job(github.variables(tmp_path))
    assert job is not None

    assert front.add_to_summary(job, "a")
    assert front.add_to_summary(job, "b")

    assert (tmp_path / "summary.md").read_text() == "a\n\nb\n\n"
    assert front.add_to_summary(front.Job("a/b", ""), "c") is False
