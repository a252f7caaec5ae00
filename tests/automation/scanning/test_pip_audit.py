"""pip-audit's output as answers; a stand-in prints it, and test_audit_planted.py runs the real program."""

import stat
import sys
from itertools import chain
from pathlib import Path

import pytest

from automation.scanning import pip_audit
from automation.scanning.locked_versions import Pin
from automation.scanning.pip_audit import VULNERABLE, Advisory, Answers
from automation.system.errors import AutomationError

SIX, TOML = Pin("six", "1.17.0"), Pin("tomlkit", "0.13.3")
CANARY = '{"name": "requests", "version": "2.19.1", "vulns": [{"id": "PYSEC-2018-28", "fix_versions": ["2.20.0"]}]}'
CLEAN = '{"name": "six", "version": "1.17.0", "vulns": []}'
TRACE = '  File "lib/pip_audit/_service/pypi.py", line 75, in query\n'
# Answers the first request with the known vulnerability, and every later one as OUT, ERR and CODE say.
STAND_IN = """#!{python}
import sys
request = open(sys.argv[-1]).read()
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "|" + request.replace("\\n", " ") + "\\n")
if {canary!r} and request == "requests==2.19.1\\n":
    print('{{"dependencies": [' + {canary!r} + ']}}')
    sys.exit(1)
sys.stdout.write({out!r})
sys.stderr.write({err!r})
sys.exit({code})
"""


class Program:
    """A program that stands for pip-audit."""

    def __init__(self, folder: Path, *, out: str = "", err: str = "", code: int = 0, canary: str = CANARY) -> None:
        self.path, self.log, self.folder = folder / "pip-audit", folder / "log", folder / "work"
        self.folder.mkdir()
        text = STAND_IN.format(python=sys.executable, log=str(self.log), canary=canary, out=out, err=err, code=code)
        self.path.write_text(text)
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def ask(self, *pins: Pin, **limits: float) -> Answers:
        return pip_audit.ask(self.path, pins, folder=self.folder, **limits)  # type: ignore[arg-type] # both limits


def dependencies(*entries: str) -> str:
    return f'{{"dependencies": [{", ".join(entries)}], "fixes": []}}'


def test_ask_without_a_vulnerability_is_empty(tmp_path: Path) -> None:
    program = Program(tmp_path, out=dependencies(CLEAN))

    assert program.ask(SIX) == Answers()
    for number, line in enumerate(program.log.read_text().splitlines()):
        words, _, request = line.partition("|")
        assert request == ("requests==2.19.1 ", "six==1.17.0 ")[number]
        assert words.split() == [
            *("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--aliases", "on"),
            *("--timeout", "15", "--cache-dir", f"{program.folder}/{number}.cache"),
            *("--requirement", f"{program.folder}/{number}.txt"),
        ]


def test_ask_returns_each_vulnerability(tmp_path: Path) -> None:
    found = '{"id": "A-1", "fix_versions": ["2", "3"], "aliases": ["C-9", "B-1"], "description": "Two\\nlines."}'
    out = dependencies(f'{{"name": "six", "version": "1.17.0", "vulns": [{found}]}}')

    answers = Program(tmp_path, out=out, code=1).ask(SIX)

    assert answers == Answers((Advisory(SIX, "A-1", ("B-1", "C-9"), ("2", "3"), "Two lines."),))


def test_ask_version_that_the_source_skips_is_unknown(tmp_path: Path) -> None:
    """pip-audit itself ends with exit 0 then, and prints that it found no vulnerability."""
    out = dependencies('{"name": "six", "skip_reason": "not found"}')

    assert Program(tmp_path, out=out).ask(SIX) == Answers(unknown=(SIX,))


def test_ask_answer_that_lacks_a_version_is_incomplete(tmp_path: Path) -> None:
    answers = Program(tmp_path, out=dependencies(CLEAN)).ask(SIX, TOML)

    assert (answers.unreached, answers.failure) == ((TOML,), "its answer is incomplete")


def test_ask_failed_request_is_unreached_with_the_last_error_that_has_a_text(tmp_path: Path) -> None:
    err = f"Traceback:\n{TRACE}requests.HTTPError: 503 Server Error\n\n{TRACE}pip_audit._service.ServiceError\n"

    answers = Program(tmp_path, err=err, code=1).ask(SIX)

    assert answers == Answers(unreached=(SIX,), failure="requests.HTTPError: 503 Server Error")


def test_ask_refused_connection_is_unreached_without_the_advice(tmp_path: Path) -> None:
    said = (
        "ERROR:pip_audit._cli:Could not connect\nERROR:pip_audit._cli:Tip: your network may be blocking this service.\n"
    )

    assert Program(tmp_path, err=said, code=1).ask(SIX).failure == "Could not connect"


def test_ask_failure_without_a_text_says_so(tmp_path: Path) -> None:
    assert Program(tmp_path, err=TRACE, code=1).ask(SIX).failure == "it gave no reason"


def test_ask_program_that_takes_too_long_is_unreached(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.path.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")

    answers = program.ask(SIX, limit_s=0.3)

    assert (answers.unreached, answers.failure) == ((SIX,), "took longer than 0.3 s and was stopped")


def test_ask_other_failure_of_the_program_is_not_of_its_source(tmp_path: Path) -> None:
    with pytest.raises(AutomationError, match="pip-audit: failed\nboom") as raised:
        Program(tmp_path, err="boom", code=1).ask(SIX)

    assert raised.value.exit_code == 1


@pytest.mark.parametrize(
    "canary", ['{"name": "requests", "version": "2.19.1", "vulns": []}', '{"name": "requests", "skip_reason": "no"}']
)
def test_ask_source_without_the_known_vulnerability_is_no_source(tmp_path: Path, canary: str) -> None:
    program = Program(tmp_path, canary=canary, out=dependencies(CLEAN))

    answers = program.ask(SIX, TOML)

    assert answers.unreached == (SIX, TOML)
    assert answers.failure == "it knows no vulnerability of requests 2.19.1, which has some"
    assert len(program.log.read_text().splitlines()) == 1  # nobody asks a source that is none 300 times


def test_shares_are_even_and_have_no_name_twice() -> None:
    pins = [Pin(name, "1") for name in "abcde"] + [Pin("a", "2"), Pin("a", "3")]

    divided = pip_audit.shares(pins, 2)

    assert sorted(chain.from_iterable(divided)) == sorted(pins)
    assert [len(share) for share in divided] == [3, 3, 1]
    assert all(len({pin.name for pin in share}) == len(share) for share in divided)


def test_shares_none_is_empty() -> None:
    assert pip_audit.shares([SIX], 4) == ((SIX,),)
    assert pip_audit.shares([], 4) == ()


def test_the_known_vulnerability_is_of_an_exact_version() -> None:
    assert Pin("requests", "2.19.1") == VULNERABLE


@pytest.mark.parametrize(("count", "requests"), [(25, 2), (26, 3), (101, 5)])
def test_ask_many_versions_starts_a_process_per_25_and_at_most_4(tmp_path: Path, count: int, requests: int) -> None:
    program = Program(tmp_path, out=dependencies())

    program.ask(*(Pin(f"name{number}", "1") for number in range(count)))

    assert len(program.log.read_text().splitlines()) == requests
