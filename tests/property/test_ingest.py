"""Filings in any order, in any runs, however often: the same tables; competing ones by the rule."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import ingest
from tests.keeping import WHEN, Content, content

EXAMPLES = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SECOND = "90007-006"


@cache
def _place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="filings-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def invented(quarter: str, employers: int) -> tuple[bytes, ...]:
    """Declarations of the same employers in any quarter."""
    folder = _place() / f"{quarter.replace('/', '-')}-{employers}"
    make_quarter(Quarter.parse(quarter), employers, 11, folder, Options(largest=2))
    return tuple(path.read_bytes() for path in sorted(folder.glob("*.xml")))


@cache
def empty_lake() -> Path:
    """A lake without filings, made once; a run over nothing but what cannot be read leaves it."""
    lake = _place() / "empty"
    with Lake.open(lake, write=True, create=True, extra_tables=ingest.COMPUTED):
        pass
    return lake


def taken_in(runs: Iterable[Mapping[str, bytes]], *, look: bool = False) -> tuple[Content, dict[str, str]]:
    """Ingest runs of named files, one after the other, into a new lake.

    Returns:
        The content of its tables if asked for, and the verdict of every filing by its name.
    """
    with tempfile.TemporaryDirectory(dir=_place()) as name:
        folder = Path(name)
        lake = folder / "lake"
        shutil.copytree(empty_lake(), lake)
        for number, files in enumerate(runs):
            inbox = folder / str(number)
            inbox.mkdir()
            for file, data in files.items():
                (inbox / file).write_bytes(data)
            told = Settings(
                lake=str(lake), out=folder / "out", received_on=date(2026, 11, 22), received_on_given=True, workers=1
            )
            ingest.run([inbox], told)
        with Lake.open(lake) as opened:
            rows = opened.arrow("SELECT name, state, reason FROM lake.received.filing").to_pylist()
            kept = opened.arrow("SELECT filing_id FROM lake.authentic.employer_declaration").num_rows
            accepted = opened.arrow("SELECT count(*) AS n FROM lake.received.form WHERE state = 'accepted'")
        assert kept == accepted.column(0)[0].as_py()
        verdicts = {row["name"]: f"{row['state']} {row['reason'] or ''}".strip() for row in rows}
        assert len(verdicts) == len(rows)
        # An answer is numbered in the order of receipt: it alone tells one order from another.
        tables = content(lake, without=WHEN) if look else {}
        return {table: state for table, state in tables.items() if table != "received.answer"}, verdicts


def peaceful() -> dict[str, bytes]:
    """Filings that do not compete: of other employers or other quarters, two refused whole, one not processed."""
    files = {f"a-{number}.xml": data for number, data in enumerate(invented("2026/3", 3))}
    files |= {f"b-{number}.xml": data for number, data in enumerate(invented("2025/4", 3))}
    files["c.xml"] = files["a-0.xml"][:-40]
    files["d.xml"] = b""
    files["e.xml"] = b"<DMFAPPLUpdate/>"
    return files


@cache
def at_once() -> tuple[Content, dict[str, str]]:
    return taken_in([peaceful()], look=True)


@EXAMPLES
@given(st.lists(st.sets(st.sampled_from(sorted(peaceful())), min_size=1), min_size=1, max_size=3))
def test_neither_order_nor_runs_nor_repetitions_matter(runs: list[set[str]]) -> None:
    files = peaceful()
    missing = set(files) - set().union(*runs)
    split = [{name: files[name] for name in run} for run in (*runs, missing) if run]
    assert taken_in(split, look=True) == at_once()


def test_what_is_compared_is_what_was_sent() -> None:
    tables, verdicts = at_once()
    assert tables["received.filing"][0] == 9
    assert tables["history.employer_declaration"][0] == 6
    assert sorted({verdict.split()[0] for verdict in verdicts.values()}) == ["accepted", "not_processed", "refused"]


@dataclass(frozen=True)
class Sent:
    """A filing that competes: its bytes, and for each of its Forms the employer and whether it is right in itself."""

    data: bytes
    forms: tuple[tuple[int, bool], ...]


def competing() -> tuple[Sent, ...]:
    """Filings of two employers and one quarter: originals, again in other bytes, wrong ones, one with two Forms."""
    first, second = invented("2026/3", 2)
    wrong = first.replace(b"<NetOwedAmount>", b"<NetOwedAmount>9")
    assert wrong != first
    other = second[second.index(b"<Form>") : second.rindex(b"</Form>") + len(b"</Form>")]
    for zone in (rb"(?<=<NOSSRegistrationNbr>)\d+", rb"(?<=<CompanyID>)\d+"):  # other persons of the same employer
        other = re.sub(zone, re.search(zone, first)[0], other)  # type: ignore[index]
    twice = first.replace(b"</Form>", b"</Form>" + other)
    return (
        Sent(first, ((0, True),)),
        Sent(first + b"\n", ((0, True),)),
        Sent(wrong, ((0, False),)),
        Sent(twice, ((0, True), (0, True))),
        Sent(second, ((1, True),)),
        Sent(second + b"\n", ((1, True),)),
    )


def by_the_rule(runs: Iterable[Mapping[str, Sent]]) -> dict[str, str]:
    """The first received wins, within a run by name, then by Form; what was refused itself blocks nothing."""
    held, known, verdicts = set[int](), set[bytes](), dict[str, str]()
    for run in runs:
        for name, sent in sorted(run.items()):
            if sent.data in known:
                continue
            known.add(sent.data)
            reasons = set[str]()
            for employer, right in sent.forms:
                if not right:
                    reasons.add("00015-007")
                elif employer in held:
                    reasons.add(SECOND)
                else:
                    held.add(employer)
            verdicts[name] = " ".join(["refused", *sorted(reasons)]) if reasons else "accepted"
    return verdicts


@settings(EXAMPLES, max_examples=5)
@given(st.permutations(range(6)), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_of_competing_originals_the_first_received_wins(names: list[int], places: list[int]) -> None:
    runs: list[dict[str, Sent]] = [{}, {}, {}]
    for name, place, sent in zip(names, places, competing(), strict=True):
        runs[place][f"{name}.xml"] = sent
    runs = [run for run in runs if run]
    _, verdicts = taken_in([{name: sent.data for name, sent in run.items()} for run in runs])
    assert verdicts == by_the_rule(runs)


@pytest.mark.parametrize("names", [("1.xml", "2.xml"), ("2.xml", "1.xml")])
def test_a_refused_original_does_not_block_the_one_sent_again(names: tuple[str, str]) -> None:
    original, _, wrong, *_ = competing()
    runs = [{names[0]: wrong}, {names[1]: original}]
    _, verdicts = taken_in([{name: sent.data for name, sent in run.items()} for run in runs])
    assert verdicts == {names[0]: "refused 00015-007", names[1]: "accepted"} == by_the_rule(runs)
