"""`dmfa sql` without a query on the command line."""

from __future__ import annotations

import io

import pytest

from flows.stages import sql


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("given", "told"), [(Terminal, True), (io.StringIO, False)])
def test_who_types_a_query_is_told_that_it_is_waited_for(
    given: type[io.StringIO], told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", given("SELECT 1\n"))
    assert sql.typed() == "SELECT 1\n"
    assert ("Ctrl-D" in capsys.readouterr().err) is told
