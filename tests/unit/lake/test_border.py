"""What DuckDB says never leaves the lake as it is said."""

from pathlib import Path

import duckdb
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake.border import engine


def test_a_failure_is_told_without_a_value():
    with pytest.raises(LakeProblem) as caught, engine(Path("lake"), "reading"):
        duckdb.connect().execute("SELECT 'secret'::INTEGER")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("query", ["SELECT 1 FROM later", "SELECT later FROM one", "SELECT o.later FROM one o"])
def test_what_an_older_state_lacks_is_told_as_that(query):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE one (a INTEGER)")
    with pytest.raises(LakeProblem, match="not every table and column") as caught, engine(Path("lake"), "reading"):
        connection.execute(query)
    assert "ask for a later one" in caught.value.todo


def test_ctrl_c_during_a_statement_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt), engine(Path("lake"), "reading"):
        raise RuntimeError("Query interrupted") from KeyboardInterrupt()  # as DuckDB does


def test_an_error_of_the_program_stays_one():
    with pytest.raises(RuntimeError, match="ours"), engine(Path("lake"), "reading"):
        raise RuntimeError("ours")
