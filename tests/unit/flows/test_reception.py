"""What is decided at reception: signatures by mode, parts together, names used once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from dmfa.errors import WrongUsage
from dmfa.lake import Lake
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import find_filings
from dmfa.reading.transmissions import gather
from flows.settings import Settings
from flows.stages.receipt import Receipt, receive
from flows.stages.reception import new_names, trusted, whole
from tests.authority import NOW, holder, trust_folder

XML = b"<DmfAOriginal/>"
ROOT = holder("Authority", authority=True)
OWN = holder("Sender", ROOT)
ONE = "DMFA.700001.20261003.00001.R"
MODES = ("off", "warn", "require")


def received(folder: Path, files: dict[str, bytes], *, mode: str = "off", environment: str = "R") -> list[Receipt]:
    for name, data in files.items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    trust = trust_folder(folder / "trust", [ROOT], [("700001", OWN)])
    settings = Settings(lake=str(folder / "lake"), signature=mode, certificates=trust)  # type: ignore[arg-type]
    settings = replace(settings, received_on=NOW.date(), received_on_given=True)
    found = gather(find_filings([folder / "in"], folder), environment=environment, strict=settings.strict)
    return receive(found.filings, settings, Limits(), trusted(settings))


def told(receipts: list[Receipt]) -> list[tuple[str | None, str | None]]:
    """Kind of what each is refused for, and of what it is warned of."""
    return [
        (one.opened.refusal and one.opened.refusal.kind, one.opened.warning and one.opened.warning.kind)
        for one in receipts
    ]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_signed_well_is_taken_in_each_mode(tmp_path: Path, mode: str) -> None:
    files = {f"FI.{ONE}.1.1": XML, f"FS.{ONE}.1.1": OWN.sign(XML), f"GO.{ONE}.1": b""}
    (receipt,) = received(tmp_path, files, mode=mode)
    assert told([receipt]) == [(None, None)]
    assert receipt.sha256 == open_filing(receipt.found).sha256


SIGNATURES = {
    "of other bytes": OWN.sign(XML + b" "),
    "empty": b"",
    "no signature": b"nothing",
    "of a stranger": holder("No").sign(XML),
}


@pytest.mark.parametrize(
    ("mode", "expected"), [("off", (None, None)), ("warn", (None, "ACRF-125")), ("require", ("ACRF-125", None))]
)
@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_that_does_not_hold(
    tmp_path: Path, mode: str, expected: tuple[str | None, str | None], signature: str
) -> None:
    files = {
        f"FI.{ONE}.1.1": XML,
        f"FS.{ONE}.1.1": SIGNATURES[signature],
        f"GO.{ONE}.1": b"",
        "b.xml": b"",
        "c.xml": XML + b" ",
    }
    receipts = received(tmp_path, files, mode=mode)
    assert told(receipts)[0] == expected
    # The others are what they are: nobody signed them.
    unsigned = {"off": (None, None), "warn": (None, "ACRF-122"), "require": ("ACRF-122", None)}[mode]
    assert told(receipts)[1:] == [("empty", None), unsigned]


def test_a_signature_of_another_sender(tmp_path: Path) -> None:
    other = ONE.replace("700001", "700002")
    files = {f"FI.{other}.1.1": XML, f"FS.{other}.1.1": OWN.sign(XML), f"GO.{other}.1": b""}
    (receipt,) = received(tmp_path, files, mode="require")
    assert receipt.opened.refusal is not None
    assert receipt.opened.refusal.message.endswith("its certificate is not one of this sender")


@pytest.mark.parametrize(("environment", "refused"), [("R", "ACRF-122"), ("T", None), ("S", None)])
def test_only_production_has_to_be_signed(tmp_path: Path, environment: str, refused: str | None) -> None:
    name = f"{ONE[:-1]}{environment}"
    receipts = received(tmp_path, {f"FI.{name}.1.1": XML, f"GO.{name}.1": b""}, mode="require", environment=environment)
    assert told(receipts) == [(refused, None)]


def test_what_is_turned_away_may_come_again(tmp_path: Path) -> None:
    files = {f"FI.{ONE}.1.1": XML, f"FS.{ONE}.1.1": b"wrong", f"GO.{ONE}.1": b""}
    (first,) = received(tmp_path, files, mode="require")
    (again,) = received(tmp_path, files, mode="require")
    (right,) = received(tmp_path, {f"FS.{ONE}.1.1": OWN.sign(XML)}, mode="require")
    assert first.sha256 == again.sha256 != right.sha256
    assert right.opened.refusal is None
    assert (first.kept, first.opened_again(str(tmp_path / "lake")).data) == (False, None)


def test_parts_are_received_or_turned_away_together(tmp_path: Path) -> None:
    parts = {f"FI.{ONE}.3.{part}": XML + b" " * part for part in (1, 2, 3)}
    signatures = {name.replace("FI", "FS"): OWN.sign(data) for name, data in parts.items()}
    files = {**parts, **signatures, f"GO.{ONE}.3": b"", "x.xml": b""}
    receipts, waiting = whole(received(tmp_path, files))
    assert (told(receipts), waiting) == ([(None, None)] * 3 + [("empty", None)], [])
    spoilt = received(tmp_path, {f"FI.{ONE}.3.2": XML}, mode="require")
    assert told(spoilt)[:3] == [(None, None), ("ACRF-125", None), (None, None)]
    together, waiting = whole(spoilt)
    assert (told(together)[:3], waiting) == ([("ACRF-125", None)] * 3, [])
    assert len({one.sha256 for one in together}) == 4


def test_parts_wait_for_one_that_cannot_be_read(tmp_path: Path) -> None:
    parts = {f"FI.{ONE}.2.{part}": XML + b" " * part for part in (1, 2)}
    receipts = received(tmp_path, {**parts, f"GO.{ONE}.2": b"", "x.xml": XML})
    gone = [replace(one, opened=open_filing(replace(one.found, path=tmp_path / "gone"))) for one in receipts[:1]]
    together, waiting = whole([*gone, *receipts[1:]])
    assert [one.found.name for one in together] == [f"FI.{ONE}.2.1", "x.xml"]
    assert waiting == [f"FI.{ONE}.2.2"]


class Ledger:
    """A lake that knows some names."""

    def __init__(self, **known: set[str]) -> None:
        self.known = known

    def names_received(self, names: object) -> dict[str, set[str]]:
        return self.known


def test_a_name_is_used_for_one_filing(tmp_path: Path) -> None:
    name = f"FI.{ONE}.1.1"
    (first,) = received(tmp_path / "a", {name: XML})
    (same,) = received(tmp_path / "b", {name: XML})
    (other,) = received(tmp_path / "c", {name: XML + b" "})
    (free,) = received(tmp_path / "d", {"wages.xml": XML})
    nothing, known = cast(Lake, Ledger()), cast(Lake, Ledger(**{name: {str(first.sha256)}}))
    assert told(new_names([first, same, other, free], nothing)) == [(None, None)] * 2 + [
        ("ACRF-133", None),
        (None, None),
    ]
    assert told(new_names([other], nothing)) == [(None, None)]
    assert told(new_names([other, first], known)) == [("ACRF-133", None), (None, None)]


def test_a_run_without_a_readable_folder_of_trust_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is not a folder"):
        trusted(Settings(signature="warn", certificates=tmp_path / "gone"))
    assert trusted(Settings(certificates=tmp_path / "gone")) is None
    with pytest.raises(WrongUsage, match="no certificate is trusted"):
        Settings.gather({"DMFA_SIGNATURE": "require"})


def test_a_signature_counts_at_the_day_of_receipt_that_is_told(tmp_path: Path) -> None:
    files = {f"FI.{ONE}.1.1": XML, f"FS.{ONE}.1.1": OWN.sign(XML), f"GO.{ONE}.1": b""}
    (receipt,) = received(tmp_path, files, mode="require")
    assert receipt.received_at.date() == NOW.date()
