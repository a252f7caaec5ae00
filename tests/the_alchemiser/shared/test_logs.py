"""The lines of a function's log: one JSON object each, with the fields that `inv logs` and people look for."""

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from the_alchemiser.shared import logs

NAME = f"{logs.PRODUCT}.a_test"
AT = 1_655_322_300.25


@pytest.fixture(autouse=True)
def _untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)


@pytest.fixture
def product() -> Iterator[logging.Logger]:
    """Return the logger of the product as a new process has it."""
    logger = logging.getLogger(logs.PRODUCT)
    before = (logger.handlers, logger.level, logger.propagate)
    logger.handlers = []
    logger.setLevel(logging.NOTSET)
    yield logger
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def record(message: str = "handled", *args: object, error: BaseException | None = None, **extra: Any) -> Any:
    exc_info: Any = (type(error), error, error.__traceback__) if error else None
    fields = {"levelname": "INFO", "funcName": "deliver", "lineno": 7, "created": AT, "msecs": 250.0}
    return logging.makeLogRecord({"msg": message, "args": args, "exc_info": exc_info, **fields, **extra})


def line(*args: Any, **options: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(logs.JsonFormatter("a_module").format(record(*args, **options)))
    return content


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_line_has_what_every_line_has() -> None:
    assert list(line().items()) == [
        ("level", "INFO"),
        ("location", "deliver:7"),
        ("message", "handled"),
        ("timestamp", "2022-06-15 19:45:00,250+0000"),
        ("service", "a_module"),
        ("module", "a_module"),
    ]


def test_line_time_is_utc_in_every_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")

    assert line()["timestamp"] == "2022-06-15 19:45:00,250+0000"


def test_line_message_has_its_arguments() -> None:
    assert line("%s of %d", "two", 3)["message"] == "two of 3"


def test_line_message_that_is_json_stays_text() -> None:
    assert line('{"level": "FAKE"}')["message"] == '{"level": "FAKE"}'


def test_line_has_the_extra_fields_but_none_without_a_value() -> None:
    extra = {"run_id": "r-1", "count": 0, "detail": "", "message_id": None}

    fields = line(**extra)

    assert {name: fields[name] for name in ("run_id", "count", "detail")} == {"run_id": "r-1", "count": 0, "detail": ""}
    assert "message_id" not in fields


def test_line_values_that_json_lacks_are_text() -> None:
    assert line(price=Decimal("1.50"))["price"] == "1.50"


def test_line_is_one_line_and_compact_whatever_it_contains() -> None:
    text = logs.JsonFormatter("a_module").format(record("first\nsecond é", body="a\nb"))

    assert "\n" not in text
    assert '"message":"first\\nsecond é","timestamp"' in text


def test_line_with_an_exception_has_its_name_and_traceback() -> None:
    fields = line(error=raised(KeyError("RUNS_TABLE")))

    assert fields["exception_name"] == "KeyError"
    assert fields["exception"].startswith("Traceback (most recent call last):\n")
    assert fields["exception"].endswith("\nKeyError: 'RUNS_TABLE'")
    assert "exc_info" not in fields


def test_line_with_an_exception_shows_no_local_variables() -> None:
    """A traceback quotes lines of code, never the values that they work on: those may be keys of the broker."""
    secret = "-".join(("sand", "box", "key"))

    def call(_: str) -> None:
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError) as caught:
        call(secret)

    assert secret not in logs.JsonFormatter("a_module").format(record(error=caught.value))


def test_line_of_an_error_without_exception_has_none() -> None:
    fields = json.loads(logs.JsonFormatter("a_module").format(record(exc_info=(None, None, None))))

    assert fields.keys().isdisjoint({"exception", "exception_name"})


@pytest.mark.parametrize("header", ["Root=1-5759e988-bd86;Parent=53995c3f42cd8ad8;Sampled=1", "Root=1-5759e988-bd86"])
def test_line_in_a_trace_has_its_id(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    assert line()["xray_trace_id"] == "1-5759e988-bd86"


def test_start_writes_the_product_s_entries_from_info_to_stdout(
    product: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start("a_module")

    logging.getLogger(NAME).debug("unheard")
    logging.getLogger(NAME).info("heard", extra={"run_id": "r-1"})

    out, err = capsys.readouterr()
    assert out.endswith("\n")
    (entry,) = map(json.loads, out.splitlines())
    assert (entry["message"], entry["run_id"], entry["module"]) == ("heard", "r-1", "a_module")
    assert err == ""
    assert product.level == logging.INFO


def test_start_twice_writes_an_entry_once(product: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("a_module")
    logs.start("a_module")

    product.info("heard")

    assert len(capsys.readouterr().out.splitlines()) == 1


def test_start_hides_the_entries_from_the_handler_of_lambda(
    product: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logs.start("a_module")

    logging.getLogger(NAME).info("heard once")

    assert caplog.records == []
