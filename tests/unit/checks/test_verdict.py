"""From anomalies to verdicts."""

import polars as pl

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.checks import verdict

FILINGS = pl.DataFrame(
    {
        "filing_id": [1, 2, 3, 4, 5, 6],
        "state": ["judged", "judged", "judged", "refused", "not_processed", "judged"],
        "declarations": pl.Series([2, 2, 1, 3, 1, 1], dtype=pl.Int32),
    }
)
FORMS = pl.DataFrame({"declaration_id": [10, 11, 20, 21, 30, 40, 41, 60], "filing_id": [1, 1, 2, 2, 3, 4, 4, 6]})


def anomalies(*rows):
    return anomaly_frame(
        Anomaly(filing, "00000-000", "words", severity, declaration) for filing, severity, declaration in rows
    )


def test_verdicts():
    found = anomalies(
        (1, "NP", 10), (1, "W", 11), (2, "B", 21), (2, "B", 21), (2, "P", 20), (4, "B", None), (6, "B", None)
    )  # fmt: skip
    result = verdict(FILINGS, FORMS, found)
    verdicts = dict(result.filings.select("filing_id", "verdict").iter_rows())
    assert verdicts == {1: "accepted", 2: "refused", 3: "accepted", 4: "refused", 5: "not_processed", 6: "refused"}
    assert dict(result.filings.select("filing_id", "refused").iter_rows()) == {1: 0, 2: 1, 3: 0, 4: 3, 5: 0, 6: 1}
    refused = result.forms.filter("refused")["declaration_id"].to_list()
    assert refused == [21, 40, 41, 60], "an accepted declaration of a refused filing stays accepted"
    assert result.forms.columns == [*FORMS.columns, "refused"]


def test_no_anomaly():
    result = verdict(FILINGS, FORMS, anomaly_frame())
    assert result.filings["verdict"].to_list() == ["accepted"] * 3 + ["refused", "not_processed", "accepted"]
    assert result.forms.filter("refused")["filing_id"].unique().to_list() == [4]


def test_same_filing_twice_has_one_verdict():
    twice = pl.concat([FILINGS.head(2), FILINGS.head(2)])
    result = verdict(twice, FORMS.head(4), anomalies((2, "B", 20)))
    assert result.filings["verdict"].to_list() == ["accepted", "refused"] * 2
    assert result.forms.height == 4


def test_nothing():
    result = verdict(FILINGS.clear(), FORMS.clear(), anomaly_frame())
    assert (result.filings.height, result.forms.height) == (0, 0)
