"""Moments of the lake's own time: a day means its end, and what has not come cannot be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from dmfa.errors import WrongUsage
from flows.stages.moments import moment

ELSEWHERE = timezone(timedelta(hours=11, minutes=30))


def test_a_day_means_its_end_and_a_time_stays() -> None:
    assert moment("2022-10-31") == datetime(2022, 10, 31, 23, 59, 59, 999_999)
    assert moment("2022-10-31 18:00") == datetime(2022, 10, 31, 18)
    assert moment("2022-10-31T18:00+01:00") == datetime(2022, 10, 31, 17, tzinfo=UTC)
    assert moment(None) is None


def test_today_may_be_asked_for_though_it_has_not_ended() -> None:
    today = datetime.now().date()
    assert moment(today.isoformat()) == datetime.combine(today, time.max)


@pytest.mark.parametrize("zone", [None, UTC, ELSEWHERE])
def test_a_moment_up_to_now_can_be_asked_for_and_none_later(zone: timezone | None) -> None:
    now = datetime.now(zone)
    assert moment(now.isoformat()) == now
    with pytest.raises(WrongUsage, match="a moment that has not come"):
        moment((now + timedelta(hours=1)).isoformat())


def test_a_day_that_has_not_begun() -> None:
    with pytest.raises(WrongUsage, match="a moment that has not come"):
        moment((datetime.now() + timedelta(days=2)).date().isoformat())
