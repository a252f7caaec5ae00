from datetime import date, datetime, timedelta, timezone

import pytest

from the_alchemiser.shared.ledger.ledger import session_date

NEW_YORK_WINTER = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(("hour", "minute"), [(9, 30), (16, 0)])
def test_session_date_is_the_day_of_the_session(hour: int, minute: int) -> None:
    assert session_date(datetime(2022, 3, 1, hour, minute, tzinfo=NEW_YORK_WINTER)) == date(2022, 3, 1)
