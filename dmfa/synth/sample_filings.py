"""The filings of the samples: three quarters of the same persons, good and bad, and what comes later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Declaration
from dmfa.synth.employer import employer
from dmfa.synth.faults import FAULTS, apply
from dmfa.synth.figures import Figures
from dmfa.synth.law import Law
from dmfa.synth.payroll import prepare
from dmfa.synth.sample_packing import damaged_zip, escaping_zip, gzipped, tarred, zipped
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Expected, Filing
from dmfa.synth.updates import Update, Wrong, misstated
from dmfa.synth.writer import created
from dmfa.synth.xml import document

SEED: Final = 2075
QUARTER: Final = Quarter(2026, 3)
EARLIER: Final = (Quarter(2026, 1), Quarter(2026, 2))
PRESCRIBED: Final = Quarter(2023, 1)
RECEIVED_ON: Final = "2026-11-22"

# Trades and sizes of the good filings: most employers are small, a few are not.
_GOOD: Final = (
    ("general", 1), ("services", 2), ("hospitality", 3), ("building", 5), ("care", 4), ("services", 1),
    ("general", 7), ("services", 12), ("hospitality", 9), ("building", 22), ("general", 2), ("services", 3),
    ("federal", 14), ("general", 24), ("services", 1), ("building", 3), ("hospitality", 6), ("general", 40),
    ("services", 33), ("care", 18), ("general", 1), ("services", 4), ("building", 8), ("hospitality", 16),
    ("general", 3), ("services", 2), ("federal", 5), ("general", 11), ("services", 20), ("hospitality", 2),
    ("agency", 5), ("insurer", 3), ("general", 30), ("federal", 12),
)  # fmt: skip
# This employer's first quarter comes late, after the two others.
_LATE: Final = 5
_SENDERS: Final = (700_001, 700_001, 700_002, 700_003)
_PACKED_XML: Final = 11
_OTHERS: Final = 1_000
_ARCHIVES: Final = ("quarter-2026-1.zip", "quarter-2026-2.tar.gz")


@dataclass(slots=True)
class Sample:
    """One filing of the samples, with words for people.

    Attributes:
        filing: its name is that by which a receiver knows it: inside an archive, that of the archive goes before.
        words: what is in it.
        same_bytes_as: name of a filing that has these bytes already.
        raw: the bytes of the file where they are not those of the filing: packed, or an archive that holds none.
        archive: name of the archive that holds it.
        warnings: official codes of what is found and refuses nothing.
        name_known: whether its name is that of another filing received before.
        kept: places of the Forms that a receiver must keep.
    """

    filing: Filing
    words: str
    same_bytes_as: str = ""
    raw: bytes | None = None
    archive: str = ""
    warnings: tuple[str, ...] = ()
    name_known: bool = False
    kept: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Samples:
    """All of them: the inbox, and what is received after it."""

    inbox: list[Sample]
    later: list[Sample]

    @staticmethod
    def files(made: list[Sample]) -> dict[str, bytes]:
        """Files by name, archives packed."""
        files: dict[str, bytes] = {}
        archives: dict[str, dict[str, bytes]] = {}
        for sample in made:
            content = sample.filing.content if sample.raw is None else sample.raw
            if sample.archive and sample.raw is None:
                inside = sample.filing.name.removeprefix(f"{sample.archive}/")
                archives.setdefault(sample.archive, {})[inside] = content
            else:
                files[sample.archive or sample.filing.name] = content
        for name, members in archives.items():
            files[name] = zipped(members) if name.endswith(".zip") else tarred(members)
        return files


class _Names:
    """File names as senders give them, counted per sender."""

    def __init__(self) -> None:
        self._count: Counter[int] = Counter()

    def next(self, declaration: Declaration) -> str:
        """`FI.DMFA.<sender>.<day>.<sequence>.R.1.1`, and for every seventh employer a plain `.xml`."""
        index = declaration.employer.index
        if index % 7 == 6:
            return f"declaration-{declaration.quarter.code}-{index:03d}.xml"
        sender = _SENDERS[index % len(_SENDERS)]
        self._count[sender] += 1
        return f"FI.DMFA.{sender}.{created(declaration)[0]:%Y%m%d}.{self._count[sender]:05d}.R.1.1"


def samples() -> Samples:
    """All files of the samples."""
    law = Law(Figures.of(QUARTER))
    names = _Names()
    good = [_good(index, trade, size, law, names) for index, (trade, size) in enumerate(_GOOD)]
    faulty = list(_faulty(law, names))
    inbox = good + faulty
    inbox += _repeated(good, names)
    inbox += _several_forms(law, names)
    inbox += _unusual_bytes(law)
    inbox += _archives(law)
    for quarter, archive in zip(EARLIER, _ARCHIVES, strict=True):
        inbox += _earlier(quarter, archive, names)
    later = list(_later(good, faulty, names))
    for sample in (*inbox, *later):
        if sample.filing.readable and sample.filing.expected.verdict != "not_processed" and not sample.same_bytes_as:
            count = len(sample.filing.declarations)
            sample.kept = [place for place in range(count) if place not in sample.filing.expected.refused]
    return Samples(_sorted(inbox), _sorted(later))


def _sorted(made: list[Sample]) -> list[Sample]:
    return sorted(made, key=lambda sample: sample.filing.name)


def _declare(index: int, trade: str, size: int, law: Law) -> Declaration:
    return prepare(SEED, employer(SEED, index, trade=trade, exact_size=size), law.figures.quarter, law, size)


def _written(
    name: str,
    declarations: list[Declaration],
    expected: Expected | None = None,
    style: int | None = None,
    encoding: str = "UTF-8",
) -> Filing:
    tallies = [Tally() for _ in declarations]
    content = document(declarations, tallies, style, encoding)
    return Filing(name, content, declarations, tallies, expected or Expected())


def _good(index: int, trade: str, size: int, law: Law, names: _Names) -> Sample:
    declaration = _declare(index, trade, size, law)
    workers = "1 worker" if size == 1 else f"{size} workers"
    sample = Sample(_written(names.next(declaration), [declaration]), f"good: {trade}, {workers}")
    if index == _PACKED_XML:
        sample.filing.name = f"declaration-{QUARTER.code}-{index:03d}.xml.gz"
        sample.raw = gzipped(sample.filing.content)
        sample.words += "; packed by gzip"
    return sample


def _earlier(quarter: Quarter, archive: str, names: _Names) -> Iterator[Sample]:
    """The quarter of the same employers, in an archive."""
    law = Law(Figures.of(quarter))
    for index, (trade, size) in enumerate(_GOOD):
        if quarter == EARLIER[0] and index == _LATE:
            continue
        declaration = _declare(index, trade, size, law)
        words = f"good: {quarter}, mostly the same persons"
        yield Sample(_written(f"{archive}/{names.next(declaration)}", [declaration]), words, archive=archive)


def _faulty(law: Law, names: _Names) -> Iterator[Sample]:
    """One filing for each fault, each of an employer of its own."""
    index = len(_GOOD)
    for name, fault in FAULTS.items():
        while True:
            trade = "building" if fault.expected.verdict == "accepted" else ("general", "services")[index % 2]
            if name == "user_check_digits":
                trade = "agency"
            declaration = _declare(index, trade, 3 + index % 3, law)
            index += 1
            filing = apply(name, declaration, "")
            if filing:
                break
        filing.name = names.next(declaration)
        yield Sample(filing, fault.words)


def _several_forms(law: Law, names: _Names) -> Iterator[Sample]:
    """Two Forms in a file, and a quarter so old that it is past limitation."""
    pair = [_declare(_OTHERS + place, "services", 2, law) for place in (0, 1)]
    yield Sample(_written(names.next(pair[0]), pair), "good: two Forms, two employers")

    pair = [_declare(_OTHERS + place, "general", 3, law) for place in (2, 3)]
    pair[1].net_owed += 5_000
    expected = Expected("net_wrong", "refused", ("00015-007",), refused=(1,))
    words = "two Forms: the first is good and kept, the net amount of the second is 50 euros too high"
    yield Sample(_written(names.next(pair[0]), pair, expected), words)

    old = _declare(_OTHERS + 4, "services", 2, Law(Figures.of(PRESCRIBED)))
    words = f"good, of {PRESCRIBED}: past limitation, which is a warning"
    yield Sample(_written(names.next(old), [old]), words, warnings=("00013-313",))


def _repeated(good: list[Sample], names: _Names) -> Iterator[Sample]:
    """Repetitions, and a kind of message that is not processed."""
    original = good[8].filing
    again = _written(names.next(original.declarations[0]), original.declarations, style=0)
    again.expected = Expected("second_original", "refused", ("90007-006",), refused=(0,))
    yield Sample(again, "a second original of an employer and quarter, in other bytes; the first one stays")

    copy = good[1].filing
    same = Filing("a-copy-of-an-earlier-file.xml", copy.content, copy.declarations, copy.tallies, copy.expected)
    yield Sample(same, "byte for byte a file that was already sent, under another name", copy.name)

    update = Filing(
        "FI.DMWA.700001.20261105.00001.R.1.1", _update(), expected=Expected("", "not_processed", schema_valid=None)
    )
    yield Sample(
        update,
        "a correction of a local administration (DMFAPPLUpdate): a known kind, kept but not processed yet",
    )


def _update() -> bytes:
    who = employer(SEED, 0, trade=_GOOD[0][0], exact_size=_GOOD[0][1])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<DMFAPPLUpdate xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="DMFAPPLUpdate_20231.xsd">\n'
        "\t<Form>\n\t\t<Identification>DMFAUPD</Identification>\n\t\t<FormCreationDate>2026-11-05</FormCreationDate>\n"
        "\t\t<FormCreationHour>10:15:00.000</FormCreationHour>\n\t\t<AttestationStatus>1</AttestationStatus>\n"
        "\t\t<TypeForm>SU</TypeForm>\n\t\t<NOSSLPAEmployerDeclarationUpdate>\n"
        f"\t\t\t<Quarter>{QUARTER.code}</Quarter>\n"
        f"\t\t\t<NOSSRegistrationNbr>{who.noss_registration_nbr}</NOSSRegistrationNbr>\n"
        "\t\t</NOSSLPAEmployerDeclarationUpdate>\n\t</Form>\n</DMFAPPLUpdate>\n"
    ).encode()


def _unusual_bytes(law: Law) -> Iterator[Sample]:
    """Good filings in other encodings, and filings that gzip spoils."""
    latin = _declare(_OTHERS + 10, "hospitality", 4, law)
    latin.reference = "Déclaration n° 1"
    yield Sample(_written("latin-letters.xml", [latin], encoding="ISO-8859-1"), "good: hospitality, in ISO-8859-1")

    windows = _written("from-windows.xml", [_declare(_OTHERS + 11, "care", 2, law)], style=1)
    windows.content = b"\xef\xbb\xbf" + windows.content.replace(b"\n", b"\r\n")
    yield Sample(windows, "good: care, with a byte order mark and line ends of Windows")

    refused = Expected("", "refused", (), well_formed=False, schema_valid=None)
    plain = document([_declare(_OTHERS + 12, "general", 2, law)])
    cut = gzipped(plain)[: -len(plain) // 50]
    yield Sample(
        Filing("cut-off.xml.gz", cut, expected=replace(refused, fault="bad_gzip")), "packed by gzip, and cut off"
    )
    twice = gzipped(plain)
    yield Sample(
        Filing("packed-twice.xml.gz", twice, expected=replace(refused, fault="packed_twice")),
        "packed by gzip twice",
        raw=gzipped(twice),
    )


def _archives(law: Law) -> Iterator[Sample]:
    """Archives that a receiver must refuse; the filing is the archive, or what it holds."""
    plain = document([_declare(_OTHERS + 13, "general", 2, law)])
    refused = Expected("bad_archive", "refused", (), well_formed=False, schema_valid=None)
    yield Sample(Filing("damaged.zip", damaged_zip(plain), expected=refused), "an archive that stops in the middle")
    empty = zipped({"notes.txt": b"nothing to declare\n"}, packed=False)
    yield Sample(Filing("no-filing-inside.zip", empty, expected=refused), "an archive without any filing in it")
    member = "../declaration.xml"
    yield Sample(
        Filing(f"escaping.zip/{member}", plain, expected=refused),
        "in an archive, under a name that points out of it",
        raw=escaping_zip(member, plain),
        archive="escaping.zip",
    )
    yield Sample(
        Filing("nested.zip/inner.zip", plain, expected=refused),
        "an archive inside an archive",
        raw=zipped({"inner.zip": zipped({"declaration.xml": plain}, packed=False)}, packed=False),
        archive="nested.zip",
    )


def _later(good: list[Sample], faulty: list[Sample], names: _Names) -> Iterator[Sample]:
    """What comes after the inbox: corrected, late, repeated, and under a name that is taken."""
    law, first = Law(Figures.of(QUARTER)), Law(Figures.of(EARLIER[0]))
    wrong = next(sample.filing for sample in faulty if sample.filing.expected.fault == "net_wrong")
    again = replace(wrong.declarations[0])
    again.balance()
    yield Sample(_written(names.next(again), [again]), "a refused declaration, corrected and sent anew")

    late = _declare(_LATE, *_GOOD[_LATE], first)
    yield Sample(_written(names.next(late), [late]), f"good, of {EARLIER[0]}: received after two later quarters")

    known = good[3].filing
    second = _written(names.next(known.declarations[0]), known.declarations, style=0)
    second.expected = Expected("second_original", "refused", ("90007-006",), refused=(0,))
    yield Sample(second, "a second original of an employer and quarter that the inbox holds")

    other = _declare(_OTHERS + 20, "services", 3, law)
    taken = _written(good[0].filing.name, [other])
    yield Sample(taken, "good, of another employer, under a name that the inbox has with other bytes", name_known=True)

    yield from _corrections(good[7].filing.declarations[0], law)

    copy = good[2].filing
    same = Filing(copy.name, copy.content, copy.declarations, copy.tallies, copy.expected)
    yield Sample(same, "a file of the inbox once more", copy.name, name_known=True)


def _corrections(declaration: Declaration, law: Law) -> Iterator[Sample]:
    """Corrections of a good declaration, and of one that was never sent."""
    paid = declaration.persons[0]
    right = misstated(paid, declaration, law, percent=4)
    gone = declaration.persons[1]
    update = Update(declaration, [Wrong(paid, right), Wrong(gone, None)])
    name = "FI.DMWA.700002.20261118.{:05d}.R.1.1"
    yield Sample(
        Filing(name.format(1), update.document(), update=update),
        "a correction: of one worker the pay, of another the whole line, who did not work there",
    )
    again = Update(declaration, [Wrong(paid, misstated(paid, declaration, law, percent=5))])
    expected = Expected("", "refused", ("00610-180", "00620-180"), refused=(0,))
    yield Sample(
        Filing(name.format(2), again.document(), expected=expected, update=again),
        "another correction of the first worker, made before the answer to the one before came",
    )
    unknown = _declare(_OTHERS + 30, "general", 2, law)
    early = Update(unknown, [Wrong(unknown.persons[0], misstated(unknown.persons[0], unknown, law, percent=2))])
    yield Sample(
        Filing(name.format(3), early.document(), expected=Expected("", "not_processed"), update=early),
        "a correction of a declaration that has not come yet: it waits",
    )
