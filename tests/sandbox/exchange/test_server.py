"""The served exchange over plain HTTP: control, faults, activities, bad input, restarts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import kills
from sandbox.exchange.__main__ import main, open_venue, parser
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl, ExchangeError
from sandbox.exchange.history import HistoryError
from sandbox.exchange.listening import listen
from sandbox.exchange.positions import Position
from sandbox.exchange.rate_limit import RateLimit
from tests.sandbox.exchange.serving import real_venue, served
from tests.sandbox.exchange.worlds import ROOT

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

DAY = date(2022, 3, 16)
KEYS = {"APCA-API-KEY-ID": "sandbox-key", "APCA-API-SECRET-KEY": "sandbox-secret"}
BUY = {"symbol": "SPY", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, headers=KEYS, trust_env=False, timeout=5) as client:
        yield client


def test_server_takes_a_plan_of_kills(api: httpx.Client) -> None:
    assert api.get(kills.PATH).json() == {"planted": [], "done": [], "requests": {}}


def test_control_returns_the_history_and_its_sessions(control: ExchangeControl) -> None:
    history = control.history()
    sessions = control.sessions(date(2022, 11, 23), date(2022, 11, 28))

    assert len(history.symbols) == 35
    assert history.common == (date(2020, 1, 2), date(2022, 12, 28))
    assert [(session.date.day, session.closes.hour) for session in sessions] == [(23, 21), (25, 18), (28, 21)]


def test_control_state_has_clock_cash_positions_and_counts(control: ExchangeControl, api: httpx.Client) -> None:
    api.post("/v2/orders", json=BUY)
    api.post("/v2/orders", json={**BUY, "type": "limit", "limit_price": 300})

    state = control.state()

    assert (state.session, state.phase, state.last_traded) == (DAY, Phase.BEFORE_CLOSE, DAY)
    assert (state.orders, state.fills, state.open_orders) == (2, 1, 1)
    assert (state.cash, state.positions) == (Decimal("99173.36"), {"SPY": Decimal(2)})


def test_control_set_now_moves_the_clock_to_any_moment(control: ExchangeControl, api: httpx.Client) -> None:
    state = control.set_now(datetime.fromisoformat("2022-03-17T11:00:00-04:00"))

    assert (state.session, state.phase) == (date(2022, 3, 17), Phase.OTHER)
    assert api.get("/v2/clock").json()["timestamp"] == "2022-03-17T11:00:00-04:00"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"session": "2022-03-13"}, 422, "2022-03-13 (Sunday) is not a session"),
        ({"session": "2024-03-13"}, 422, "outside the history"),
        ({"session": "2022-03-15"}, 409, "cannot go back"),
        ({"session": "soon"}, 422, "session: "),
        ({"session": "2022-03-17", "phase": "noon"}, 422, "phase: "),
        ({"now": "2022-03-17T11:00:00"}, 422, "now: "),
        ({}, 422, "either session (with phase) or now is required"),
        ({"session": "2022-03-17", "when": 1}, 422, "when: "),
    ],
)
def test_control_clock_with_a_bad_setting_says_why(
    control: ExchangeControl, api: httpx.Client, body: dict[str, Any], status: int, message: str
) -> None:
    response = api.post("/_control/clock", json=body)

    assert response.status_code == status
    assert message in response.json()["message"]
    assert control.state().session == DAY


def test_control_reset_allows_an_earlier_day(control: ExchangeControl, api: httpx.Client) -> None:
    first = api.post("/v2/orders", json=BUY).json()["id"]
    control.reset(Decimal("5000.25"))
    state = control.set_clock(date(2021, 6, 1), Phase.BEFORE_CLOSE)

    assert (state.cash, state.positions, state.orders) == (Decimal("5000.25"), {}, 0)
    assert api.post("/v2/orders", json=BUY).json()["id"] != first


def test_control_error_has_message_and_status(control: ExchangeControl) -> None:
    with pytest.raises(ExchangeError, match="is not a session of the exchange") as caught:
        control.set_clock(date(2022, 3, 19), Phase.BEFORE_CLOSE)

    assert caught.value.status == 422


def test_control_without_a_server_says_so() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with ExchangeControl(f"http://127.0.0.1:{port}") as client:
        assert not client.is_ready()
        with pytest.raises(ExchangeError, match=f"does not answer at http://127.0.0.1:{port}"):
            client.state()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("[", 400, 40010000),
        ("[]", 400, 40010000),
        ("[" * 100_000, 400, 40010000),
        ('{"symbol":"SPY","qty":NaN}', 400, 40010000),
        ('{"symbol":"SPY","side":"buy","type":"market","time_in_force":"day","qty":true}', 422, 40010001),
        ('{"symbol":"SPY","side":"buy","type":"market","time_in_force":"day","qty":1e400}', 422, 40010001),
        ('{"symbol":"SPY","side":"hold","type":"market","time_in_force":"day","qty":1}', 422, 42210000),
        ('{"symbol":"SPY","side":"buy","type":"stop","time_in_force":"day","qty":1}', 422, 40010001),
        ('{"symbol":"SPY","side":"buy","type":"market","time_in_force":"day","qty":1,"legs":[]}', 422, 42210000),
        ('{"symbol":["SPY"]}', 422, 40010001),
        ("", 422, 40010001),
    ],
)
def test_post_of_a_malformed_order_is_refused(
    control: ExchangeControl, api: httpx.Client, content: str, status: int, code: int
) -> None:
    response = api.post("/v2/orders", content=content)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert control.state().orders == 0


def test_post_reads_json_numbers_as_exact_decimals(control: ExchangeControl, api: httpx.Client) -> None:
    content = '{"symbol":"SPY","side":"buy","type":"limit","time_in_force":"day","qty":0.1,"limit_price":413.3}'
    order = api.post("/v2/orders", content=content).json()

    assert (order["qty"], order["limit_price"]) == ("0.1", "413.3")


@pytest.mark.parametrize("path", ["/v2/account", "/v2/stocks/quotes/latest?symbols=SPY"])
def test_request_without_keys_is_not_authorized(server: str, path: str) -> None:
    response = httpx.get(server + path, trust_env=False)

    assert response.status_code == 401
    assert "authorized" in response.json()["message"]


def test_request_with_an_unknown_path_gets_json(api: httpx.Client) -> None:
    assert api.get("/v2/nothing").json() == {"message": "endpoint not found"}
    assert api.put("/v2/orders").status_code == 405
    assert api.get("/v2/orders/not-a-uuid").json() == {"code": 40010001, "message": "order_id is missing"}


def test_activities_pages_have_every_fill_once(control: ExchangeControl, api: httpx.Client) -> None:
    for _ in range(5):
        api.post("/v2/orders", json=BUY)
    rows: list[dict[str, str]] = []
    params = {"page_size": "2", "direction": "asc"}
    while page := api.get("/v2/account/activities/FILL", params=params).json():
        rows += page
        params["page_token"] = page[-1]["id"]

    assert len({row["order_id"] for row in rows}) == len(rows) == 5
    assert rows[0]["id"].startswith("20220316154500000::")
    assert {key: rows[0][key] for key in ("type", "qty", "price", "side", "leaves_qty", "order_status")} == {
        "type": "fill",
        "qty": "2",
        "price": "413.32",
        "side": "buy",
        "leaves_qty": "0",
        "order_status": "filled",
    }


def test_activities_after_a_fill_leave_it_out(control: ExchangeControl, api: httpx.Client) -> None:
    for _ in range(3):
        api.post("/v2/orders", json=BUY)
    newest_first = api.get("/v2/account/activities/FILL").json()

    later = api.get("/v2/account/activities/FILL", params={"after": newest_first[1]["transaction_time"]}).json()

    assert later == newest_first[:1]


def test_fault_refuse_refuses_as_often_as_planted(control: ExchangeControl, api: httpx.Client) -> None:
    control.plant("refuse", status=429, method="POST", times=2)

    statuses = [api.post("/v2/orders", json=BUY).status_code for _ in range(3)]

    assert statuses == [429, 429, 200]
    assert control.state().orders == 1


def test_fault_commit_then_504_takes_the_order(control: ExchangeControl, api: httpx.Client) -> None:
    control.plant("commit_then_504", symbol="SPY")

    response = api.post("/v2/orders", json={**BUY, "client_order_id": "lost"})

    assert (response.status_code, response.json()["code"]) == (504, 50410000)
    order = api.get("/v2/orders:by_client_order_id", params={"client_order_id": "lost"}).json()
    assert order["status"] == "filled"


def test_fault_hang_times_out_and_orders_nothing(control: ExchangeControl, api: httpx.Client) -> None:
    control.plant("hang", path="/v2/orders")

    with pytest.raises(httpx.ReadTimeout):
        api.post("/v2/orders", json=BUY, timeout=0.2)

    assert control.state().orders == 0


def test_fault_latency_delays_one_request(control: ExchangeControl, api: httpx.Client) -> None:
    control.plant("latency", seconds=3)

    with pytest.raises(httpx.ReadTimeout):
        api.get("/v2/clock", timeout=0.2)

    assert api.get("/v2/clock").status_code == 200


def test_clear_faults_removes_every_fault(control: ExchangeControl, api: httpx.Client) -> None:
    control.plant("rest")
    control.clear_faults()

    assert api.get("/_control/faults").json() == []
    assert api.post("/_control/faults", json={"kind": "explode"}).status_code == 422


def test_answers_have_the_rate_limit_and_refuse_beyond_it(tmp_path: Path) -> None:
    venue = real_venue(tmp_path / "state.json")
    venue.limit = RateLimit(2)
    sent_at = int(time.time())
    with served(venue) as url, httpx.Client(base_url=url, headers=KEYS, trust_env=False) as client:
        client.get("/v2/clock", headers={"APCA-API-KEY-ID": "stranger"})
        answers = [client.get("/v2/clock") for _ in range(2)]
        refused, control = client.delete("/v2/orders/1"), client.get("/_control/ready")

    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0"]
    assert (refused.status_code, refused.json()["code"]) == (429, 42910000)
    assert refused.headers["X-RateLimit-Limit"] == "2"
    assert int(refused.headers["X-RateLimit-Reset"]) > sent_at
    assert control.status_code == 200
    assert "X-RateLimit-Limit" not in control.headers


@pytest.mark.parametrize(
    ("options", "limit", "actions"),
    [((), 200, 0), (("--requests-per-minute", "0"), 0, 0), (("--corporate-actions", "actions.json"), 200, 1)],
)
def test_open_venue_takes_the_limit_and_the_actions(
    options: tuple[str, ...], limit: int, actions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("actions.json").write_text('[{"type":"forward_split","symbol":"SPY","ex_date":"2022-03-17","new_rate":2}]')

    venue = open_venue(parser().parse_args(["--state", "state.json", *options]))

    assert (venue.limit.per_minute, len(venue.exchange.market.actions.all())) == (limit, actions)


def test_main_with_bad_corporate_actions_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "actions.json").write_text("{}")

    code = main(
        ["--port", "0", "--state", str(tmp_path / "s.json"), "--corporate-actions", str(tmp_path / "actions.json")]
    )

    assert code == 4
    assert "actions.json: not a list of corporate actions" in capsys.readouterr().err


def test_main_with_a_bad_limit_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--state", "state.json", "--requests-per-minute", "-1"])

    assert "-1 is not a number of requests; 0 means no limit" in capsys.readouterr().err


@pytest.mark.parametrize("symbol", ["SPY", "628ESC012"])
def test_open_venue_with_a_planted_position_resumes_it(symbol: str, tmp_path: Path) -> None:
    options = parser().parse_args(["--state", str(tmp_path / "state.json")])
    open_venue(options).respond("POST", "/_control/positions", {}, {"symbol": symbol, "qty": "3"})

    assert list(open_venue(options).exchange.account.positions) == [symbol]


def test_open_venue_with_a_holding_without_history_is_refused(tmp_path: Path) -> None:
    options = parser().parse_args(["--state", str(tmp_path / "state.json")])
    venue = open_venue(options)
    venue.exchange.put_position(Position("GONE", Decimal(1), Decimal(1)))
    venue.store.save(venue.exchange.state)

    with pytest.raises(HistoryError, match="has no history of GONE"):
        open_venue(options)


def test_order_with_an_unwritable_state_is_refused(tmp_path: Path) -> None:
    venue = real_venue(tmp_path / "state.json")
    (tmp_path / "state.json.new").mkdir()
    with served(venue) as url:
        response = httpx.post(f"{url}/v2/orders", json=BUY, headers=KEYS, trust_env=False)

    assert response.status_code == 500
    assert "the state could not be written" in response.json()["message"]
    assert len(venue.exchange.account.orders) == 0


def test_main_on_a_taken_port_prints_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        code = main(["--port", str(port), "--state", str(tmp_path / "state.json")])
    printed = capsys.readouterr().err

    assert code == 5
    assert printed == (
        f"paper exchange: port {port} of 127.0.0.1 is in use; stop the program that uses it, or pass another --port\n"
    )


def test_main_with_a_damaged_state_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state.json").write_text("{")

    code = main(["--port", "0", "--state", str(tmp_path / "state.json")])

    assert code == 4
    assert "state.json: not a usable exchange state" in capsys.readouterr().err


def test_main_without_history_names_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--port", "0", "--state", str(tmp_path / "state.json"), "--history", str(tmp_path)])

    assert code == 4
    assert "no market history" in capsys.readouterr().err


@pytest.mark.parametrize("cash", ["much", "-1", "0.001", "NaN"])
def test_main_with_a_bad_amount_is_a_usage_error(cash: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--state", "state.json", "--cash", cash])

    assert caught.value.code == 2
    assert f"{cash} is not an amount" in capsys.readouterr().err


def test_server_killed_and_restarted_has_the_same_state(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    first = start(port, tmp_path, url)
    with ExchangeControl(url) as control:
        control.set_clock(DAY, Phase.BEFORE_CLOSE)
        httpx.post(f"{url}/v2/orders", json=BUY, headers=KEYS, trust_env=False).raise_for_status()
        before = control.state()
    first.kill()
    first.wait()
    second = start(port, tmp_path, url)
    with ExchangeControl(url) as control:
        after = control.state()
    second.send_signal(signal.SIGTERM)

    assert second.wait(timeout=3) == 0
    assert after == before
    assert after.fills == 1


def start(port: int, folder: Path, url: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sandbox.exchange", "--port", str(port), "--state", str(folder / "state.json")]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    with ExchangeControl(url) as control:
        deadline = time.monotonic() + 20
        while not control.is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise AssertionError("the exchange did not start")
            time.sleep(0.05)
    return server
