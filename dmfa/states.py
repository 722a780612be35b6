"""The states of a filing, and which may follow which.

A filing is received and acknowledged, or refused unread; then each declaration in it goes its own way. A declaration
that is refused is sent again as another filing, so nothing follows a refusal. Each Form of a correction goes its own
way too; it is not processed as long as it waits for its original, which becomes corrected once it is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

State = Literal["received", "acknowledged", "refused", "accepted_open", "accepted", "corrected", "not_processed"]

START: State = "received"

WAITING = "waiting"
"""State of the Form of a correction whose declaration has not come yet."""

WAITS = "waits for its original"
"""Why a filing is not processed that holds such a Form."""

OPEN_CLASSES = frozenset({"P", "NP", "D"})
"""Classes of anomalies that leave an accepted declaration open: something in it is still to be put right."""

NEXT: Mapping[State, frozenset[State]] = {
    "received": frozenset({"acknowledged", "refused"}),
    "acknowledged": frozenset({"refused", "accepted_open", "accepted", "not_processed"}),
    # A kind of message that this version only keeps may be judged by a later one.
    "not_processed": frozenset({"refused", "accepted_open", "accepted"}),
    # What needs other declarations is found after acceptance; it opens anomalies, and refuses nothing any more.
    "accepted": frozenset({"accepted_open", "corrected"}),
    "accepted_open": frozenset({"accepted", "corrected"}),
    "corrected": frozenset({"corrected"}),
    "refused": frozenset(),
}
"""By state, those that may follow it."""

WORDS: Mapping[State, str] = {
    "received": "received",
    "acknowledged": "acknowledged",
    "refused": "refused",
    "accepted_open": "accepted, with open anomalies",
    "accepted": "accepted",
    "corrected": "corrected",
    "not_processed": "not processed",
}


def step(before: State, after: State) -> State:
    """The state after, if it may follow the one before.

    Raises:
        ValueError: it may not.

    Examples:
        >>> step("received", "acknowledged")
        'acknowledged'
        >>> step("refused", "accepted")
        Traceback (most recent call last):
        ...
        ValueError: a filing that is refused cannot become accepted
    """
    if after not in NEXT[before]:
        raise ValueError(f"a filing that is {WORDS[before]} cannot become {WORDS[after]}")
    return after
