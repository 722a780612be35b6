"""What a person may ask of the lake in SQL."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from dmfa.errors import LakeProblem, WrongUsage
from dmfa.lake import run_query
from dmfa.lake.catalog import FORMAT
from tests.unit.lake.material import new_lake, stage, writer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = new_lake(tmp_path_factory.mktemp("query"))
    with writer(folder) as lake:
        lake.publish([stage(folder, 1, 2), stage(folder, 3, quarter=20262, persons=5)])
    return folder


def rows(folder, sql, **options):
    with run_query(folder, sql, **options) as answer:
        return [tuple(row.values()) for row in answer.table().to_pylist()]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM authentic.natural_person", [(11,)]),
        ("FROM natural_person SELECT count(*);", [(11,)]),
        ("select COUNT(*) from lake.history.natural_person -- of all", [(11,)]),
        ('SELECT count(*) FROM "authentic"."natural_person"', [(11,)]),
        (
            "SELECT quarter, count(*) AS n FROM natural_person GROUP BY ALL HAVING n > 5 ORDER BY 1",
            [(20263, 6)],
        ),
        (
            "SELECT f.name, count(*) FROM received.filing f JOIN history.natural_person p USING (filing_id)"
            " WHERE f.quarter = 20262 GROUP BY 1",
            [("3.xml", 5)],
        ),
        (
            "WITH sized AS (SELECT declaration_id, count(*) AS n FROM natural_person GROUP BY 1),"
            ' "the large" AS (FROM sized WHERE n > 3) SELECT max(n) FROM "the large"',
            [(5,)],
        ),
        ("WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 3) SELECT sum(n) FROM q", [(6,)]),
        (
            "SELECT declaration_id FROM employer_declaration"
            " QUALIFY row_number() OVER (ORDER BY net_owed_amount DESC) = 1",
            [(30,)],
        ),
        (
            "SELECT name FROM received.filing WHERE filing_id IN"
            " (SELECT filing_id FROM natural_person WHERE quarter = 20262)",
            [("3.xml",)],
        ),
        ("SELECT list_sum(list_transform(range(4), lambda x: x * 2))", [(12,)]),
        ("SELECT * FROM range(2)", [(0,), (1,)]),
        ("SELECT unnest([1, 2])", [(1,), (2,)]),
        ("VALUES (1, 'a')", [(1, "a")]),
        ("SELECT value FROM received.meta", [(str(FORMAT),)]),
        ("SELECT DISTINCT result FROM exchange.log", []),
        (
            "PIVOT (SELECT quarter, status FROM natural_person) ON quarter IN (20262, 20263) USING count(*)",
            [(0, 5, 6)],
        ),
        (
            "SELECT comment FROM duckdb_columns() WHERE column_name = 'filing_sha256'",
            [("SHA-256 of the file, hexadecimal",)],
        ),
        ("SELECT round(net_owed_amount / 100, 2)::VARCHAR FROM employer_declaration WHERE filing_id = 2", [("246.9",)]),
    ],
)
def test_what_may_be_asked(folder, sql, expected):
    assert rows(folder, sql) == expected


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("SHOW ALL TABLES", "natural_person"),
        ("SHOW TABLES", "natural_person"),
        ("SHOW TABLES FROM lake.history", "occupation"),
        ("FROM (SHOW ALL TABLES) SELECT name", "filing"),
        ("DESCRIBE history.occupation", "joint_commission_nbr"),
        ("DESCRIBE SELECT inss FROM natural_person", "inss"),
        ("SUMMARIZE employer_declaration", "noss_registration_nbr"),
        ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'received'", "anomaly"),
        ("EXPLAIN SELECT * FROM natural_person", "physical_plan"),
        ("/* why */ EXPLAIN ANALYZE SELECT * FROM natural_person", "analyzed_plan"),
        ("EXPLAIN (FORMAT JSON) SELECT 1", "physical_plan"),
    ],
)
def test_what_the_lake_says_about_itself(folder, sql, part):
    assert part in str(rows(folder, sql))


def test_listings_hold_nothing_of_the_catalog(folder):
    assert "ducklake" not in str(rows(folder, "SHOW ALL TABLES"))


def test_the_lake_as_it_stood(folder):
    with writer(folder) as lake:
        times = lake.arrow("SELECT snapshot_time FROM ducklake_snapshots('lake') ORDER BY 1").column(0).to_pylist()
    assert rows(folder, "SELECT count(*) FROM natural_person", as_of=times[-2]) == [(0,)]
    assert rows(folder, "SELECT count(*) FROM natural_person", as_of=times[-1]) == [(11,)]
    with pytest.raises(WrongUsage, match="no state of 2020-01-01 00:00:00"):
        run_query(folder, "SELECT 1", as_of=datetime(2020, 1, 1, tzinfo=UTC))


def test_the_oldest_state_is_told_so_that_it_can_be_asked_for(folder):
    with writer(folder) as lake:
        times = lake.arrow("SELECT snapshot_time FROM ducklake_snapshots('lake') ORDER BY 1").column(0).to_pylist()
    # Between the first two the lake had no tables yet.
    for moment in (datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), times[0]):
        with pytest.raises(WrongUsage) as told:
            run_query(folder, "SELECT 1", as_of=moment)
        (named,) = re.findall(r"'(.+)'", told.value.todo)
        asked = datetime.fromisoformat(named)
        assert (asked.tzinfo is None) is (moment.tzinfo is None)
        assert timedelta() <= asked.astimezone(UTC) - times[1] < timedelta(seconds=1)
        assert rows(folder, "SELECT count(*) FROM received.meta", as_of=asked) == [(1,)]


def test_rows_come_in_batches_with_their_types(folder):
    with run_query(folder, "SELECT range AS n, 'x' AS t FROM range(250000)") as answer:
        assert answer.schema.names == ["n", "t"]
        assert sum(batch.num_rows for batch in answer) == 250_000


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "runs one statement; this is 0"),
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM natural_person", "nothing"),
        ("SELECT * FROM natural_persons", "natural_persons"),
        ("SELECT * FROM nowhere.natural_person", "the table nowhere.natural_person is not allowed"),
        ("SELECT * FROM natural_person WHERE inss = ?", "cannot be run as it is written"),
    ],
)
def test_a_wrong_query_is_told_why(folder, sql, told):
    with pytest.raises(WrongUsage) as refused:
        run_query(folder, sql)
    assert told in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM natural_person WHERE inss = 77101500172",
        "SELECT 77101500172 FRM natural_person",
        "SELECT * FROM natural_person WHERE inss = 77101500172x",
        "SELECT '77101500172x'::BIGINT",
        "SELECT (inss || 'x')::BIGINT FROM natural_person",
        "SELECT inss::TINYINT FROM natural_person",
        "SELECT inss * inss FROM natural_person",
        "SELECT error(inss::VARCHAR) FROM natural_person WHERE inss > 0",
        "SELECT strptime(inss::VARCHAR, '%Y') FROM natural_person",
        'FROM "77101500172.csv"',
        "SELECT CASE WHEN range = 500000 THEN error('77101500172') END FROM range(600000)",
        "SELECT CASE WHEN range = 500000 THEN ('77101500172x' || range)::INT END FROM range(600000)",
        "SELECT * FROM natural_person ORDER BY inss LIMIT inss",
    ],
)
def test_no_error_quotes_a_number(folder, sql):
    with pytest.raises(WrongUsage) as refused, run_query(folder, sql) as answer:
        answer.table()
    assert "7700000" not in str(refused.value)
    assert "77101500172" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_no_lake_no_answer(tmp_path):
    with pytest.raises(LakeProblem, match="there is no lake"):
        run_query(tmp_path, "SELECT 1")
    assert list(tmp_path.iterdir()) == []
