"""One deployer at a time: the rules of the lock, who is kept out, and what that person can type."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from automation.deploying.releases import deployer_lock
from automation.deploying.releases.deployer_lock import LockedError
from automation.system.deployers import Deployer, DeployerLock, LockReading
from automation.system.errors import DeploymentError
from automation.system.targets import Target
from tests.automation.release_tables import ANN, LOCK, NOW, FakeReleaseTable

BOB = Deployer("arn:aws:iam::123456789012:user/bob", "bob@lap", 22)
REMOVE = (
    "aws dynamodb delete-item --table-name shop-live-releases"
    """ --key '{"pk": {"S": "LOCK"}, "sk": {"S": "deployer"}}' --region eu-west-1"""
)
WHO = (
    "ann@desk (arn:aws:iam::123456789012:user/ann) has been deploying since 2026-01-02 03:04 UTC; "
    "the lock lapses at 2026-01-02 04:04 UTC"
)


def runs(*process_ids: int) -> Callable[[int], bool]:
    return lambda process_id: process_id in process_ids


def acquire(table: FakeReleaseTable, deployer: Deployer = ANN) -> DeployerLock:
    return deployer_lock.acquire(table, deployer, environment="live", token="t2", is_running=runs(11, 22))


class Rival(FakeReleaseTable):
    """A table where another deployer writes its lock between our read and our write."""

    def __init__(self, winner: DeployerLock | None) -> None:
        super().__init__()
        self.winner = winner

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        self.lock = self.winner
        return False


class Unreachable(FakeReleaseTable):
    def remove_lock(self, token: str) -> None:
        raise DeploymentError("does not answer", where=self.name)


@pytest.mark.parametrize(
    ("deployer", "alive", "expected"),
    [
        (BOB, runs(11), False),
        (BOB, runs(), False),
        (ANN, runs(11), False),
        (replace(ANN, process_id=33), runs(11, 33), False),
        (replace(ANN, process_id=33), runs(33), True),
        (replace(ANN, person="ann@lap"), runs(), False),
        (replace(ANN, arn="arn:other"), runs(), False),
    ],
    ids=["another", "another, dead", "same process", "second terminal", "after a kill", "another host", "another role"],
)
def test_may_take_held_lock(deployer: Deployer, alive: Callable[[int], bool], expected: bool) -> None:
    reading = LockReading(LOCK, NOW + timedelta(minutes=59))

    assert deployer_lock.may_take(reading, deployer, is_running=alive) is expected


@pytest.mark.parametrize(("age_s", "expected"), [(3599, False), (3600, True), (3601, True)])
def test_may_take_lapsed_lock(age_s: int, expected: bool) -> None:
    reading = LockReading(LOCK, NOW + timedelta(seconds=age_s))

    assert deployer_lock.may_take(reading, BOB, is_running=runs(11)) is expected


def test_may_take_free_lock() -> None:
    assert deployer_lock.may_take(LockReading(None, NOW), BOB, is_running=runs())


def test_acquire_writes_who_since_when_and_until() -> None:
    table = FakeReleaseTable()

    lock = acquire(table)

    assert lock == table.lock == DeployerLock(ANN, "t2", NOW, NOW + timedelta(hours=1))


def test_acquire_held_lock_says_who_and_what_to_type() -> None:
    table = FakeReleaseTable(lock=LOCK)

    with pytest.raises(LockedError) as caught:
        acquire(table, BOB)

    assert str(caught.value) == "live: another deployer is at work"
    [finding] = caught.value.findings
    assert (finding.where, finding.what) == ("live", WHO)
    assert finding.fix == (
        f"wait and look: inv status --env live; if that process has ended, remove the lock: {REMOVE}"
    )
    assert (caught.value.exit_code, table.lock) == (3, LOCK)


def test_obstacle_commands_go_to_the_endpoint() -> None:
    table = FakeReleaseTable(target=Target("eu-west-1", "http://127.0.0.1:7"))

    assert deployer_lock.obstacle(LOCK, "live", table).fix.endswith(
        "--region eu-west-1 --endpoint-url http://127.0.0.1:7"
    )


@pytest.mark.parametrize("process_id", [11, 44])
def test_acquire_lapsed_lock_replaces_it(process_id: int) -> None:
    table = FakeReleaseTable(lock=LOCK, now=NOW + timedelta(hours=1))

    lock = acquire(table, replace(BOB, process_id=process_id))

    assert table.lock == lock
    assert lock.since == NOW + timedelta(hours=1)


def test_acquire_lost_race_names_the_winner() -> None:
    with pytest.raises(LockedError) as caught:
        acquire(Rival(LOCK), BOB)

    assert [finding.what for finding in caught.value.findings] == [WHO]


def test_acquire_write_whose_answer_was_lost_succeeds() -> None:
    """botocore repeats the request; the condition then refuses our own lock."""
    assert acquire(Rival(replace(LOCK, token="t2"))).token == "t2"


def test_acquire_lock_that_vanishes_is_an_error() -> None:
    with pytest.raises(LockedError) as caught:
        acquire(Rival(None))

    assert str(caught.value) == "live: the lock of this deployment was removed; deploy again"


def test_renew_extends_the_lock_from_now() -> None:
    table = FakeReleaseTable(lock=LOCK, now=NOW + timedelta(minutes=30))

    deployer_lock.renew(table, LOCK, environment="live")

    assert table.lock == replace(LOCK, expires_at=NOW + timedelta(minutes=90))


def test_renew_lock_of_another_is_an_error() -> None:
    taken = DeployerLock(BOB, "t9", NOW, NOW + timedelta(hours=1))
    table = FakeReleaseTable(lock=taken)

    with pytest.raises(LockedError) as caught:
        deployer_lock.renew(table, LOCK, environment="live")

    assert caught.value.findings[0].what.startswith("bob@lap (")
    assert table.lock == taken


def test_hold_releases_the_lock_at_the_end() -> None:
    table = FakeReleaseTable()

    with deployer_lock.hold(table, ANN, environment="live", is_running=runs(11)):
        held = table.lock

    assert held is not None
    assert (held.deployer, table.lock) == (ANN, None)


def test_hold_releases_the_lock_after_an_interrupt() -> None:
    table = FakeReleaseTable()

    def interrupted() -> None:
        with deployer_lock.hold(table, ANN, environment="live", is_running=runs(11)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert table.lock is None


def test_hold_two_deployers_exclude_each_other() -> None:
    table = FakeReleaseTable()

    with (
        deployer_lock.hold(table, ANN, environment="live", is_running=runs(11, 22)),
        pytest.raises(LockedError),
        deployer_lock.hold(table, BOB, environment="live", is_running=runs(11, 22)),
    ):
        pytest.fail("both hold the lock")

    assert table.lock is None


def test_hold_takes_a_new_token_each_time() -> None:
    tokens = set()

    for _ in range(2):
        table = FakeReleaseTable()
        with deployer_lock.hold(table, ANN, environment="live", is_running=runs()):
            assert table.lock
            tokens.add(table.lock.token)

    assert len(tokens) == 2


def test_hold_renews_when_it_is_due() -> None:
    table, seconds = FakeReleaseTable(), [100.0]
    expiries = []

    with deployer_lock.hold(
        table, ANN, environment="live", is_running=runs(11), clock=lambda: seconds[-1]
    ) as renew_if_due:
        for second in (699.0, 700.0, 1299.0, 1300.0):
            seconds.append(second)
            table.now = NOW + timedelta(seconds=second - 100)
            renew_if_due()
            assert table.lock
            expiries.append((table.lock.expires_at - NOW).total_seconds())

    assert expiries == [3600, 4200, 4200, 4800]


def test_release_unreachable_table_warns(capsys: pytest.CaptureFixture[str]) -> None:
    deployer_lock.release(Unreachable(lock=LOCK), LOCK)

    warning = capsys.readouterr().err
    assert "the lock could not be removed and lapses within an hour: shop-live-releases: does not answer" in warning


def test_release_keeps_the_lock_of_another() -> None:
    table = FakeReleaseTable(lock=replace(LOCK, token="t9"))

    deployer_lock.release(table, LOCK)

    assert table.lock == replace(LOCK, token="t9")
