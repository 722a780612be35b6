"""A second original of one employer and quarter is 90007-006: the first received wins."""

from __future__ import annotations

import polars as pl

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.lake import ItemWriter, Lake, Manifest
from dmfa.lake.writing import replaced
from flows.stages.item import Done, Refusal, Shared, anomaly_rows

CODE = "90007-006"
_MESSAGE = "an original of this employer and quarter was accepted before"


def second_originals(accepted: pl.DataFrame, lake: Lake) -> pl.DataFrame:
    """The declarations of a run that come second.

    Args:
        accepted: the run's accepted declarations: declaration_id, filing_id, quarter, employer, name, form_index.
        lake: whose accepted declarations came before this run.

    Returns:
        Those rows of `accepted` for which the lake holds an original of the same employer and quarter, or an earlier
        one stands in the run: the first by name of the filing, then by index of the Form.
    """
    quarters = accepted["quarter"].unique().to_list()
    before = pl.DataFrame(
        lake.arrow(
            """
            SELECT DISTINCT quarter, CASE WHEN noss_registration_nbr > 0 THEN noss_registration_nbr ELSE -company_id END
                AS employer
            FROM lake.received.form WHERE state = 'accepted' AND quarter IN (SELECT unnest(?::INTEGER[]))
            """,
            [quarters],
        )
    )
    ranked = accepted.sort("name", "form_index").with_columns(place=pl.int_range(pl.len()).over("quarter", "employer"))
    held = ranked.join(before, on=["quarter", "employer"], how="semi")
    return pl.concat([held, ranked.filter(pl.col("place") > 0)]).unique("declaration_id").drop("place")


def amend(done: Done, losers: pl.DataFrame, shared: Shared) -> Manifest:
    """Take the declarations that come second out of an item's staged tables, and refuse them on the ledger.

    Args:
        done: the item; its counts, states and refusals are put right.
        losers: declaration_id, filing_id and name of all declarations that come second.
        shared: what every item needs.

    Returns:
        The item's manifest, a new one if it was concerned; then the files of the old one are gone.
    """
    mine = losers.filter(pl.col("declaration_id").is_in(done.originals["declaration_id"].implode()))
    if mine.is_empty():
        return done.manifest
    tables = _staged_tables(done.manifest, shared)
    ids = mine["declaration_id"]
    gone = {
        name: frame.filter(pl.col("declaration_id").is_in(ids.implode()))
        for name, frame in tables.items()
        if name.startswith(("history.", "computed."))
    }
    for name, rows in gone.items():
        tables[name] = tables[name].join(rows.select("declaration_id").unique(), on="declaration_id", how="anti")
    tables["received.form"] = tables["received.form"].with_columns(
        state=pl.when(pl.col("declaration_id").is_in(ids.implode())).then(pl.lit("refused")).otherwise("state")
    )
    tables["received.filing"] = _refused_again(tables["received.filing"], mine, done)
    found = anomaly_frame(
        Anomaly(
            row["filing_id"],
            CODE,
            _MESSAGE,
            declaration_id=row["declaration_id"],
            block="EmployerDeclaration",
            block_ordinal=0,
        )
        for row in mine.iter_rows(named=True)
    )
    rows = anomaly_rows(found, tables["received.filing"], tables["received.form"])
    known = tables.get("received.anomaly", rows.clear())
    tables["received.anomaly"] = pl.concat([known, rows.select(known.columns).cast(known.schema)])  # type: ignore[arg-type]
    with ItemWriter(shared.settings.lake, done.manifest.item_id, shared.specs) as writer:
        for name, frame in tables.items():
            writer.append(name, frame)
        manifest = writer.close(done.manifest.inputs)
    replaced(shared.settings.lake, done.manifest, manifest)
    _uncount(done, gone)
    done.refusals += [Refusal(name, CODE, _MESSAGE) for name in mine["name"]]
    return manifest


def _staged_tables(manifest: Manifest, shared: Shared) -> dict[str, pl.DataFrame]:
    data = shared.settings.lake_folder / "data"
    found: dict[str, list[pl.DataFrame]] = {}
    for file in manifest.files:
        frame = pl.read_parquet(data / file.path, hive_partitioning=False)
        found.setdefault(f"{file.schema}.{file.table}", []).append(frame)
    return {name: pl.concat(frames) for name, frames in found.items()}


def _refused_again(filings: pl.DataFrame, mine: pl.DataFrame, done: Done) -> pl.DataFrame:
    """The ledger's rows with one more refusal per declaration that comes second."""
    more = mine.group_by("filing_id").agg(more=pl.len().cast(pl.Int32))
    joined = filings.join(more, on="filing_id", how="left", maintain_order="left")
    hit = pl.col("more").is_not_null()
    turned = joined.filter(hit & (pl.col("state") == "accepted")).height
    done.states.subtract(accepted=turned)
    done.states.update(refused=turned)
    return joined.with_columns(
        state=pl.when(hit).then(pl.lit("refused")).otherwise("state"),
        refused=pl.col("refused") + pl.col("more").fill_null(0),
        reason=pl.when(hit)
        .then(pl.concat_str("reason", pl.lit(CODE), separator=" ", ignore_nulls=True))
        .otherwise("reason"),
    ).drop("more")


def _uncount(done: Done, gone: dict[str, pl.DataFrame]) -> None:
    accounts = gone.get("computed.employer_account", pl.DataFrame())
    declarations = gone["history.employer_declaration"].height
    done.counts.update(refused=declarations)
    done.counts.subtract(accepted=declarations)
    for table, name in (("natural_person", "persons"), ("worker_record", "lines")):
        done.counts.subtract({name: gone[f"history.{table}"].height if f"history.{table}" in gone else 0})
    if "history.remun" in gone:
        done.counts.subtract(wages=gone["history.remun"]["remun_amount"].sum())
    for name in ("declared", "covered", "computed"):
        if accounts.height:
            done.counts.subtract({name: accounts[f"{name}_contribution_cents"].sum()})
