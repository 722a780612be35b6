"""The states of a filing: every path ends, and nothing follows a refusal."""

from __future__ import annotations

import pytest

from dmfa.states import NEXT, START, WORDS, State, step


def test_every_state_is_reached_from_receipt_and_has_words() -> None:
    reached: set[State] = {START}
    while more := {after for before in reached for after in NEXT[before]} - reached:
        reached |= more
    assert reached == set(NEXT) == set(WORDS)


def test_nothing_follows_a_refusal_and_nobody_is_received_twice() -> None:
    assert not NEXT["refused"]
    assert all(START not in after for after in NEXT.values())


@pytest.mark.parametrize("before", NEXT)
@pytest.mark.parametrize("after", NEXT)
def test_only_what_may_follow_follows(before: State, after: State) -> None:
    if after in NEXT[before]:
        assert step(before, after) == after
    else:
        with pytest.raises(ValueError, match="cannot become"):
            step(before, after)
