"""`dmfa maintain`: few large files in the lake, and nothing kept longer than the settings say."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from dmfa.lake import Lake, Maintained
from flows import console
from flows.settings import Settings
from flows.stages.tables import COMPUTED


def run(settings: Settings) -> Maintained:
    """Merge small files, rewrite those with deleted rows, and drop what is kept long enough.

    A lake of an older format is brought to today's. The content of every table stays as it is.

    Args:
        settings: where the lake is, and how long states and received bytes are kept.

    Raises:
        LakeProblem: there is no lake, or it is busy, full or damaged.
    """
    states_before = received_before = None
    if settings.keep_states is not None:
        states_before = datetime.now(UTC) - timedelta(days=settings.keep_states)
    if settings.keep_received is not None:
        received_before = datetime.combine(settings.received_on - timedelta(days=settings.keep_received), time())
    with Lake.open(
        settings.lake, write=True, extra_tables=COMPUTED, wait_seconds=settings.lake_wait, xsd=settings.xsd
    ) as lake:
        return lake.maintain(states_before=states_before, received_before=received_before)


def show(done: Maintained, settings: Settings) -> None:
    """Print what a maintenance did."""
    console.say(f"files in tables: {done.before:,} before, {done.after:,} now")
    console.say(f"files removed from the disk: {done.removed:,}")
    _kept("states of the lake", done.states, settings.keep_states, "DMFA_KEEP_STATES")
    _kept("received files", done.received, settings.keep_received, "DMFA_KEEP_RECEIVED")
    console.say(f"lake: {settings.lake}")


def _kept(what: str, dropped: int, days: int | None, setting: str) -> None:
    if days is None:
        console.say(f"{what}: all are kept; {setting}=DAYS drops older ones")
    else:
        console.say(f"{what}: {dropped:,} dropped, older than {days:,} days ({setting})")
