import hashlib
from dataclasses import replace

import polars as pl
import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts import EXTRACTS, Permit, extract_named
from dmfa.extracts.persons import within
from dmfa.extracts.selection import attestations
from tests.unit.extracts.material import DAY, NARROW, PERSON_BLOCKS, QUARTER, invented, permit_of

ATTESTATION = EXTRACTS["attestation"]


@pytest.fixture
def frames():
    return {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}


def selected(frames, permit: Permit):
    return attestations(within(frames, permit.authorisation.population), ATTESTATION.shape(permit))


def test_an_attestation_is_numbered_by_declaration_and_place_of_the_person(frames, tmp_path):
    found = selected(frames, permit_of(tmp_path)).persons
    keys = frames["natural_person"].select("declaration_id", "natural_person_ordinal").sort(pl.all()).rows()
    digests = [hashlib.sha256(f"{declaration}:{place}".encode()).hexdigest() for declaration, place in keys]
    assert found["attestation"].to_list() == [int(digest[:16], 16) // 2 for digest in digests]


def test_every_person_of_the_quarter_has_one_attestation(frames, tmp_path):
    persons = selected(frames, permit_of(tmp_path)).persons
    assert persons.height == 3 + 4 + 2
    assert persons["attestation"].n_unique() == 9
    assert persons.columns == ["attestation", "version", "status", "inss"]


def test_every_block_of_a_person_is_there_and_no_other_is(frames, tmp_path):
    tables = selected(frames, permit_of(tmp_path)).tables
    assert len(tables) == len(PERSON_BLOCKS) == 26
    for name, table in tables.items():
        expected = frames["natural_person"] if name == "employer_declaration" else frames[name]
        assert table.height == expected.height > 0
    assert not {"company_vehicle", "contribution_unrelated_to_np", "employer_compensation"} & tables.keys()


def test_ordinals_begin_at_nought_in_every_attestation_and_join(frames, tmp_path):
    tables = selected(frames, permit_of(tmp_path)).tables
    for name, table in tables.items():
        own = f"{name}_ordinal"
        if own in table.columns:
            numbers = table.group_by("attestation").agg(pl.col(own))
            assert all(sorted(row) == list(range(len(row))) for row in numbers[own])
        for above in (column for column in table.columns if column.endswith("_ordinal") and column != own):
            parents = tables[above.removesuffix("_ordinal")]
            orphans = table.drop_nulls(above).join(parents, on=["attestation", above], how="anti")
            assert orphans.is_empty()


def test_what_hangs_under_a_block_that_is_not_listed_is_not_given(frames, tmp_path):
    tables = selected(frames, permit_of(tmp_path, blocks=NARROW)).tables
    users = frames["using_employer"]
    under_occupation = users.filter(pl.col("student_contribution_ordinal").is_null())
    assert 0 < under_occupation.height < users.height
    assert tables["using_employer"].height == under_occupation.height
    assert "student_contribution_ordinal" not in tables["using_employer"].columns


def test_rows_in_any_order_give_the_same_tables(frames, tmp_path):
    permit = permit_of(tmp_path)
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=8) for name, frame in frames.items()}
    assert all(
        table.equals(selected(shuffled, permit).tables[name]) for name, table in selected(frames, permit).tables.items()
    )


def test_r7_a_population_leaves_out_everything_outside_it(frames, tmp_path):
    codes = frames["worker_record"]["worker_code"].drop_nulls().unique().sort()
    permit = permit_of(tmp_path, population={"WorkerRecord.WorkerCode": codes.head(2).to_list()})
    inside = frames["worker_record"].filter(pl.col("worker_code").is_in(codes.head(2).implode()))
    persons, tables = selected(frames, permit).persons, selected(frames, permit).tables
    assert 0 < persons.height == inside.select("declaration_id", "natural_person_ordinal").n_unique() < 9
    assert set(tables["worker_record"]["worker_code"]) == set(codes.head(2))
    keys = ["declaration_id", "worker_record_ordinal"]
    assert tables["occupation"].height == frames["occupation"].join(inside, on=keys, how="semi").height > 0
    assert tables["natural_person"].height == tables["employer_declaration"].height == persons.height


def test_a_population_of_an_inner_block_takes_only_the_blocks_around_it(frames):
    wanted = frames["service"]["service_code"].drop_nulls()[0]
    kept = within(frames, {"Service.ServiceCode": (wanted,)})
    services = frames["service"].filter(pl.col("service_code") == wanted)
    keys = ["declaration_id", "occupation_ordinal"]
    assert kept["service"].height == services.height
    assert kept["occupation"].height == services.select(keys).n_unique()
    assert kept["remun"].height == frames["remun"].join(services, on=keys, how="semi").height


def test_a_population_by_a_whole_number(frames):
    number = int(frames["employer_declaration"]["noss_registration_nbr"].drop_nulls()[0])
    kept = within(frames, {"EmployerDeclaration.NOSSRegistrationNbr": (str(number),)})
    assert set(kept["employer_declaration"]["noss_registration_nbr"]) == {number}
    assert set(kept["natural_person"]["declaration_id"]) == set(kept["employer_declaration"]["declaration_id"])


def test_a_population_with_nobody_in_it(frames, tmp_path):
    permit = permit_of(tmp_path, population={"Occupation.JointCommissionNbr": ["none"]})
    made = selected(frames, permit)
    assert made.persons.is_empty()
    assert all(table.is_empty() for table in made.tables.values())


def test_an_authorisation_of_another_mode_gives_no_attestation(tmp_path):
    permit = permit_of(tmp_path)
    other = Permit(replace(permit.authorisation, mode="threshold"), DAY)
    with pytest.raises(WrongUsage, match="is for threshold data of attestation, which gives raw data"):
        ATTESTATION.shape(other)


def test_an_authorisation_of_a_block_that_is_not_about_a_person(tmp_path):
    permit = permit_of(tmp_path, blocks=NARROW)
    row = replace(permit.authorisation, blocks={**permit.authorisation.blocks, "CompanyVehicle": ()})
    with pytest.raises(WrongUsage, match="lists CompanyVehicle, which extract attestation does not hold"):
        ATTESTATION.shape(Permit(row, DAY))
    with pytest.raises(WrongUsage, match=r"row 1 .* lists CompanyVehicle, which extract attestation does not hold"):
        permit_of(tmp_path, blocks={**NARROW, "CompanyVehicle": []})


def test_there_is_no_other_extract():
    with pytest.raises(WrongUsage, match="there is no extract attestations"):
        extract_named("attestations")
