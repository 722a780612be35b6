"""Keys of projects stay on this machine, whoever does the other work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dmfa.extracts.keys import FIRST, Key
from dmfa.extracts.pseudonyms import Pseudonyms
from flows.settings import Settings
from flows.stages import extract

CODES = Pseudonyms(Key("panel", "1", FIRST, bytes(32)))


def work(name: str, coding: Pseudonyms | None) -> Any:
    draft = SimpleNamespace(shape=SimpleNamespace(coding=coding), weight=1)
    return SimpleNamespace(name=name, rows=SimpleNamespace(persons=extract.APART), draft=draft)


@pytest.mark.parametrize(
    ("runner", "expected"),
    [
        ("dask", {"pensions": "dask", "panel": "local", "holidays": "dask"}),
        ("local", {"pensions": "local", "panel": "local", "holidays": "local"}),
    ],
)
def test_r22_what_holds_a_key_is_never_sent_to_a_cluster(
    monkeypatch: pytest.MonkeyPatch, runner: Any, expected: dict[str, str]
) -> None:
    @contextmanager
    def crew(settings: Settings, _processes: int, **_: object) -> Iterator[Any]:
        def run(function: Callable[[Any], Any], items: Sequence[Any], **_: object) -> Iterator[tuple[int, Any]]:
            for place, item in reversed([*enumerate(items)]):
                yield place, (function(item), settings.runner)

        yield SimpleNamespace(run=run)

    monkeypatch.setattr(extract, "crew", crew)
    items = [work("pensions", None), work("panel", CODES), work("holidays", None)]
    pool: Any = extract._pool(Settings(runner=runner, workers=2))
    done = {items[place].name: told for place, told in pool(lambda item: item.name, items)}
    assert done == {name: (name, where) for name, where in expected.items()}
