"""What is proved valid without a parser, what is left to libxml2, and that a batch is the same either way."""

import shutil
from dataclasses import replace

import pytest

from dmfa.quarter import Quarter
from dmfa.reading import batch as batch_module
from dmfa.reading import markup as markup_module
from dmfa.reading import tags as tags_module
from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.markup import is_text
from dmfa.reading.patterns import DIGIT, read_pattern
from dmfa.reading.plan import make_plan
from dmfa.reading.prover import find_proved
from dmfa.reading.rules import NotUnderstood, rule_of
from dmfa.reading.source import find_filings
from dmfa.schema import home
from dmfa.schema.grammar import Leaf
from dmfa.synth import Options, make_quarter
from tests.making import Maker, filing, to_bytes

PLAN = make_plan()
D = DIGIT


def proofs(*files, folder=None):
    return [finding.proved for finding in find_proved(files, make_plan(folder), folder)]


GOOD = filing("20231", seed=1, persons=2)


@pytest.mark.parametrize("release", ["20221", "20222", "20223", "20224", "20231"])
def test_ordinary_documents_of_every_release_are_proved(release):
    files = []
    for seed in (1, 2, 3, 7):
        root = Maker(release, seed, many=1).filing(forms=2, persons=2)
        files += [to_bytes(root), to_bytes(root, pretty=True)]
    # Whether an Address may be without a child is libxml2's to say.
    assert proofs(*files) == [b"<Address/>" not in data for data in files]


def test_invented_declarations_are_proved(tmp_path):
    make_quarter(Quarter(2026, 3), 12, 3, tmp_path, Options(largest=6))
    files = [path.read_bytes() for path in tmp_path.rglob("*.xml")]
    assert len(files) >= 12
    assert all(proofs(*files))


USUAL = {
    "lines of Windows": GOOD.replace(b">\n<", b">\r\n<").replace(b"<Form>", b"\r\n\t<Form>"),
    "blanks between tags": GOOD.replace(b"><", b">\n    <"),
    "double quotes": GOOD.replace(b"'1.0'", b'"1.0"').replace(b"'UTF-8'", b'"utf-8"'),
    "no declaration of XML": GOOD[GOOD.index(b"?>") + 2 :].lstrip(),
    "no schema named": GOOD.replace(b' xsi:noNamespaceSchemaLocation="DmfAOriginal_20231.xsd"', b""),
}


@pytest.mark.parametrize("what", USUAL)
def test_usual_forms_are_proved(what):
    assert USUAL[what] != GOOD
    assert proofs(USUAL[what]) == [True]


DOUBTFUL = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "another encoding": GOOD.replace(b"UTF-8", b"US-ASCII"),
    "a comment": GOOD.replace(b"<Form>", b"<!-- a --><Form>"),
    "an instruction": GOOD.replace(b"<Form>", b"<?a b?><Form>"),
    "a section": GOOD.replace(b"<Quarter>20231<", b"<Quarter><![CDATA[20231]]><"),
    "a reference": GOOD.replace(b"<Quarter>20231<", b"<Quarter>2023&#49;<"),
    "an attribute": GOOD.replace(b'.xsd">', b'.xsd" xsi:schemaLocation="a b">'),
    "a padded value": GOOD.replace(b"<Trusteeship>", b"<Trusteeship> "),
    "a sign": GOOD.replace(b"<Trusteeship>", b"<Trusteeship>+"),
    "a blank in a tag": GOOD.replace(b"<Form>", b"<Form >"),
    "a raw mark": GOOD.replace(b"<TypeForm>SU<", b"<TypeForm>SU><"),
    "a byte that is no text": GOOD.replace(b"<TypeForm>SU", b"<TypeForm>S\xff"),
    "a control character": GOOD.replace(b"<TypeForm>SU", b"<TypeForm>S\x01"),
    "a middle of a name": GOOD.replace(b"FormCreationDate", b"FormCreatXonDate").replace(
        b"FormCreationHour", b"FormCreatXonHour"
    ),
    "a tag without a name": GOOD.replace(b"<Form>", b"<Form>< >"),
    "nothing but marks": GOOD.replace(b"<Form>", b"<Form><>"),
    "a long name": GOOD.replace(b"NaturalPersonSequenceNbr", b"NaturalPxrsonSequenceNbr"),
    "an end of another": GOOD.replace(b"</FormCreationDate>", b"</FormCreationHour>"),
    "crossed blocks": GOOD.replace(b"</EmployerDeclaration></Form>", b"</Form></EmployerDeclaration>"),
    "an end too many": GOOD.replace(b"</Form>", b"</Form></Form>"),
    "a zone behind the root": GOOD + b"<Quarter>20231</Quarter>",
    "a second root": GOOD + GOOD[GOOD.index(b"<DmfA") :],
    "a text between blocks": GOOD.replace(b"<Form>", b"<Form>x"),
    "an end missing": GOOD.replace(b"</DmfAOriginal>", b""),
    "two quarters": filing("20231", seed=1, forms=2, persons=1).replace(b"<Quarter>20231<", b"<Quarter>20232<", 1),
    "no such quarter": GOOD.replace(b"<Quarter>20231<", b"<Quarter>20235<"),
    "a day that is none": GOOD.replace(b"<FormCreationDate>", b"<FormCreationDate>2023-02-30</FormCreationDate><X>"),
}


@pytest.mark.parametrize("what", DOUBTFUL)
def test_what_is_in_doubt_is_not_proved_and_puts_no_other_in_doubt(what):
    data = DOUBTFUL[what]
    assert data != GOOD
    other = filing("20231", seed=2, persons=1)
    found = proofs(GOOD, other, data, other, GOOD)
    assert not found[2]
    # What stands behind the end of a document may be the start of the next one: then the first is in doubt, too.
    assert found[:1] + found[3:] == [True, True, True]
    assert not any(proofs(data))


def test_a_document_is_not_ended_by_the_next():
    cut = GOOD[: GOOD.rindex(b">")]
    assert proofs(cut, b">" + GOOD) == [False, False]


def test_one_release_at_a_time():
    files = [filing("20231", seed=1, persons=1), filing("20222", seed=1, persons=1), filing("20231", seed=2, persons=1)]
    assert proofs(*files) == [True, False, True]
    assert proofs(files[1], None) == [True, False]


@pytest.mark.parametrize("most", [100, 5_000])
def test_borders_of_pieces_and_parts(monkeypatch, most):
    files = [filing("20231", seed=seed, persons=2) for seed in (1, 2, 3)]
    files.insert(1, DOUBTFUL["crossed blocks"])
    expected = proofs(*files)
    monkeypatch.setattr(tags_module, "_PIECE", most)
    monkeypatch.setattr(markup_module, "_PART", most)
    assert proofs(*files) == expected == [True, False, True, True]


@pytest.fixture
def asked(monkeypatch):
    """The documents of which libxml2 was asked."""
    files = []
    real = batch_module.valid_as_presumed

    def asking(presumed, data):
        files.append(data)
        return real(presumed, data)

    monkeypatch.setattr(batch_module, "valid_as_presumed", asking)
    return files


def inbox(tmp_path, files):
    for number, data in enumerate(files):
        (tmp_path / f"{number:02}.xml").write_bytes(data)
    return find_filings([tmp_path], tmp_path).filings


def test_libxml2_is_asked_of_nothing_but_what_is_not_proved(tmp_path, asked):
    files = [GOOD, DOUBTFUL["a padded value"], filing("20231", seed=2, persons=1)]
    found = inbox(tmp_path, files)
    batch = read_batch(found, Settings.of())
    assert [filing.schema_valid for filing in batch.filings] == [True, True, True]
    assert asked == files[1:2]
    read_batch(found, Settings.of(proof=False))
    assert asked == [files[1], *files]


def test_a_batch_is_the_same_with_and_without_proofs(tmp_path):
    """Tables row by row, filings, anomalies: of good filings, valid oddities and bad ones, mixed."""
    good = [filing("20231", seed=seed, forms=2, persons=2) for seed in (2, 3, 7)]
    files = [one for pair in zip([*DOUBTFUL.values()], good * 9, strict=False) for one in pair]
    files += [filing("20222", seed=1, persons=1), GOOD, *USUAL.values()]
    found = inbox(tmp_path, files)
    settings = Settings.of()
    one, other = read_batch(found, settings), read_batch(found, replace(settings, proof=False))
    assert one.filings == other.filings
    assert one.anomalies.equals(other.anomalies)
    assert one.shredded.forms.equals(other.shredded.forms)
    for name, table in one.shredded.tables.items():
        assert table.equals(other.shredded.tables[name]), name
    assert {filing.schema_valid for filing in one.filings} == {True, False, None}


def test_a_release_that_is_not_understood_proves_nothing(tmp_path):
    name = "DmfAOriginal_20231.xsd"
    xsd = (home() / name).read_bytes()
    same, other = tmp_path / "same", tmp_path / "other"
    for folder, data in (
        (same, xsd),
        (other, xsd.replace(b'name="Border" type="Border"', b'name="Border" type="Border" nillable="true"')),
    ):
        folder.mkdir()
        (folder / name).write_bytes(data)
    assert proofs(GOOD, folder=same) == [True]
    assert proofs(GOOD, folder=other) == [False]
    found = inbox(tmp_path, [GOOD])
    batch = read_batch(found[:1], Settings.of(other))
    assert batch.filings[0].schema_valid
    shutil.rmtree(other)


def test_text():
    assert is_text(b"a\n\t") and is_text("é€ß😀".encode())
    for data in (b"\0", b"\xff", b"\xc3a", b"a\xc3", b"\xc3a\xa9", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"):
        assert not is_text(b"abc" + data + b"abc")
    assert not is_text(b"a\xef\xbf\xbfa")
    assert not is_text(b"a\xef\xbf\xbea")


@pytest.mark.parametrize(
    ("pattern", "forms"),
    [
        (r"\d{3}", ((D,) * 3,)),
        (r"0|\d{2}", (("0",), (D, D))),
        ("[0]|1", (("0",), ("1",))),
        (r"\d(1|2)", ((D, "1"), (D, "2"))),
        (r"\d\.\d", ((D, ".", D),)),
        (r"\d,.", ((D, ",", "."),)),
    ],
)
def test_patterns_of_fixed_length(pattern, forms):
    assert read_pattern(pattern).forms == forms


def test_patterns_that_are_expressions():
    assert read_pattern("[A-Z]{2}[A-Za-z0-9]{0,28}").expression == "[A-Z]{2,2}[A-Za-z0-9]{0,28}"
    assert read_pattern(r"\d{17}").expression == "[0-9]{17,17}"


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a*",
        "a+",
        "a?",
        "a{2,}",
        "[^a]",
        r"\p{L}",
        r"\s",
        r"\w",
        "(ab|c)",
        "[a-z-[x]]",
        "a|",
        "é",
        "^a$",
        "(a",
        "a&b",
    ],
)
def test_patterns_that_are_not_understood(pattern):
    assert read_pattern(pattern) is None


@pytest.mark.parametrize(
    "leaf",
    [
        Leaf("string", {"pattern": (r"\p{L}",)}),
        Leaf("string", {"enumeration": ("a",), "pattern": ("a",)}),
        Leaf("string", {"enumeration": ("too long a text",)}),
        Leaf("string", {"enumeration": ("",)}),
        Leaf("integer", {"pattern": ("[A-Z]{0,2}",)}),
        Leaf("integer", {"totalDigits": ("many",)}),
        Leaf("date", {"pattern": (r"\d{4}",)}),
        Leaf("date", {"minInclusive": ("2026-02-30",)}),
        Leaf("decimal", {}),
    ],
)
def test_types_by_which_nothing_is_proved(leaf):
    with pytest.raises(NotUnderstood):
        rule_of(leaf)
