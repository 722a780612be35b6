"""What an import of rate files prints: the files, what is unknown in them, what differs, and the wage moderation."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from contributions.rates.book import KINDS, RateBook
from contributions.rates.comparison import CHANGED, against_seed, changes, percent, together
from contributions.rates.moderation import FORMULAS, NONE, followed
from contributions.rates.official import LAYOUTS, Kind, RateFile
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.rates import ImportedQuarter

SHOWN = 40
"""Lines of a list on a terminal; the lake holds all."""

CLASSES_SHOWN = 60
"""Letters of a list of employer classes."""

_NOUNS: dict[Kind, str] = {"contribution_rate": "rates", "deduction_rate": "ceilings", "owedness": "combinations"}


def show(found: list[ImportedQuarter], settings: Settings) -> None:
    """Report an import."""
    for one in found:
        _files(one)
        for kind in KINDS:
            file = next((file for file in one.files if file.kind == kind), None)
            if file is not None:
                _differences(one, file)
        rates = next((file for file in one.files if file.kind == "contribution_rate"), None)
        if rates is not None:
            _moderation(rates)
            _seed(rates)
        if one.changed and one.declarations:
            console.say(f"the amounts of {one.quarter} in the lake are of before: run `dmfa compute {one.quarter}`")
    files = sum(len(one.files) for one in found)
    changed = sum(len(one.changed) for one in found)
    console.say(
        f"control: {files} rate files read, {changed} new in the lake, {files - changed} there already; {settings.lake}"
    )


def _files(one: ImportedQuarter) -> None:
    invented = any(file.fictitious for file in one.files)
    console.table(
        f"{'Invented' if invented else 'Official'} rate files, {one.quarter}",
        ("file", "rows", "made on", "in the lake"),
        [(file.name, f"{file.rows.height:,}", file.created_on or "-", _became(one, file)) for file in one.files],
        right=(1,),
    )
    if invented:
        console.say("these figures are invented: lines computed by them say so, and none of them has trust A")
    for file in one.files:
        if file.unknown:
            told = ", ".join(f"{element} {many:,} times" for element, many in file.unknown.items())
            console.say(f"{file.name}: kept, though unknown to this program: {told}")
    for kind in KINDS:
        if kind not in {file.kind for file in one.files} and kind not in one.stood:
            console.say(f"not at hand: {LAYOUTS[kind].prefix} of {one.quarter}; reference.{kind} has no rows of it")


def _became(one: ImportedQuarter, file: RateFile) -> str:
    if file.kind not in one.changed:
        return "there already"
    before = one.stood.get(file.kind)
    return "new" if before is None else f"in place of {before}" if before != file.name else "in place of other bytes"


def _differences(one: ImportedQuarter, file: RateFile) -> None:
    """Against the file that stood for the quarter, if this one takes its place, and against the quarter before."""
    kind, noun = file.kind, _NOUNS[file.kind]
    if file.kind in one.changed and file.kind in one.stood and one.earlier is not None:
        _changes(f"{noun} that changed with this file, {one.quarter}", kind, one.earlier.rows(kind), file.rows)
    before: RateBook | None = one.before
    if before is not None and before.source(kind) is not None:
        _changes(f"{noun} that changed since {before.quarter}", kind, before.rows(kind), file.rows)
    elif kind == "contribution_rate":
        _since_seed(one.quarter, file)
    else:
        console.say(
            f"of {one.quarter.before} no file {LAYOUTS[kind].prefix} is in the lake, so that nothing is compared"
        )


def _since_seed(quarter: Quarter, file: RateFile) -> None:
    """Against the seed rates of the quarter before, of which no file is in the lake."""
    both = against_seed(file.rows, quarter.before).drop_nulls().filter(pl.col("total_rate") != pl.col("rate"))
    keys = ("contribution_worker_code", "contribution_type", "rate", "total_rate")
    grouped = both.group_by(keys).agg(rows=pl.len(), classes=_classes()).sort(keys)
    rows = grouped.with_columns(percent(pl.col(name)).alias(name) for name in ("rate", "total_rate")).rows()
    console.table(
        f"Rates that changed since {quarter.before}, of which no file is in the lake: against its seed rates",
        ("code", "type", "before", "now", "rows", "employer classes"),
        [
            (code, str(kind), old, new, f"{many:,}", _short(classes))
            for code, kind, old, new, many, classes in rows[:SHOWN]
        ],
        right=(4,),
    )
    console.say(f"rates that changed since the seed rates of {quarter.before}: {both.height:,}")


def _classes() -> pl.Expr:
    return pl.col("employer_class").unique(maintain_order=True).str.join(" ")


def _short(classes: str) -> str:
    """Some employer classes, cut between two of them."""
    return classes if len(classes) <= CLASSES_SHOWN else f"{classes[: CLASSES_SHOWN // 4 * 4 - 1]} ..."


def _changes(title: str, kind: Kind, before: pl.DataFrame, after: pl.DataFrame) -> None:
    changed = changes(kind, before, after)
    lines = list(_lines(kind, together(kind, changed)))
    keys = ("code", "type") if kind == "contribution_rate" else ("code",)
    console.table(
        title[0].upper() + title[1:],
        (*keys, "what", "before", "now", "rows", "employer classes"),
        lines[:SHOWN],
        right=(len(keys) + 3,),
    )
    if len(lines) > SHOWN:
        console.say(f"... and {len(lines) - SHOWN:,} more lines: see reference.{kind}")
    counts = dict(changed["change"].value_counts().iter_rows())
    told = ", ".join(f"{counts.get(change, 0):,} {change}" for change in ("new", "gone", CHANGED))
    console.say(f"{title}: {told}, {after.select(pl.struct(LAYOUTS[kind].key).n_unique()).item():,} in all")


def _lines(kind: Kind, rows: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    for row in rows.iter_rows(named=True):
        code = row["deduction_code"] if kind == "deduction_rate" else row["contribution_worker_code"]
        type_ = (str(row["contribution_type"]),) if kind == "contribution_rate" else ()
        figures = row["before"] or "-", row["after"] or "-", f"{row['rows']:,}"
        yield (code, *type_, row["change"], *figures, _short(row["classes"]))


def _moderation(file: RateFile) -> None:
    """The wage moderation recomputed from the base share of each rate."""
    rates = file.rows.filter(~pl.col("flat")).select(
        "employer_class",
        "contribution_worker_code",
        "contribution_type",
        personal="personal_rate",
        base="employer_rate",
        moderation="moderation_rate",
        total="total_rate",
    )
    found = followed(rates, file.quarter)
    if found.is_empty():
        return
    counts = dict(found["formula"].value_counts().iter_rows())
    told = ", ".join(f"{name} {counts[name]:,}" for name in FORMULAS if name in counts)
    console.say(f"wage moderation recomputed from the base share; rates that follow its formulas: {told}")
    wrong = found.filter((pl.col("formula") == NONE) | ~pl.col("adds_up"))
    columns = ("personal", "base", "moderation", "total")
    rows = wrong.with_columns(percent(pl.col(name)).alias(name) for name in columns).rows(named=True)
    console.table(
        "Rates whose moderation follows no formula, or whose shares do not add up",
        ("class", "code", "type", *columns),
        [
            tuple(
                str(row[name]) for name in ("employer_class", "contribution_worker_code", "contribution_type", *columns)
            )
            for row in rows[:SHOWN]
        ],
        right=(3, 4, 5, 6),
    )


def _seed(file: RateFile) -> None:
    """Which seed rates of the quarter this file confirms, and which it overrules."""
    both = against_seed(file.rows, file.quarter).filter(
        pl.col("employer_class").is_in(file.rows["employer_class"].unique().implode())
    )
    known = both.drop_nulls()
    equal = known.filter(pl.col("total_rate") == pl.col("rate")).height
    lacking = both["total_rate"].null_count()
    console.say(
        f"against the seed rates of {file.quarter}: {equal:,} equal, {known.height - equal:,} overruled by the file,"
        f" {both['rate'].null_count():,} known from the file alone, {lacking:,} from the seed alone"
    )
