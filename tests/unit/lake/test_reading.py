import pytest

from dmfa.errors import WrongUsage
from dmfa.lake import Lake
from tests.unit.lake.material import new_lake, stage, writer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = new_lake(tmp_path_factory.mktemp("reading"))
    with writer(folder) as lake:
        lake.publish(
            [stage(folder, 1, 2), stage(folder, 3, quarter=20262, persons=5), stage(folder, 4, status=3, persons=7)]
        )
    return folder


@pytest.fixture
def lake(folder):
    with Lake.open(folder) as opened:
        yield opened


def persons(lake, schema="authentic", **chosen):
    return lake.frames(schema, ["natural_person", "employer_declaration"], **chosen)["natural_person"].height


def test_rows_are_chosen_by_quarter_declaration_and_employer(lake):
    assert persons(lake) == 11
    assert persons(lake, quarter=20263) == 6
    assert persons(lake, quarter=20254) == 0
    assert persons(lake, declaration_ids=[10, 30]) == 8
    assert persons(lake, declaration_ids=[]) == 0
    assert persons(lake, employer=100_006 + 3) == 5
    assert persons(lake, employer=100_006 + 3, quarter=20263) == 0
    assert persons(lake, employer=1) == 0


def test_rows_are_chosen_by_several_quarters_and_by_place_of_the_person(lake):
    assert persons(lake, quarter=(20262, 20263)) == 11
    assert persons(lake, quarter=(20261, 20262)) == 5
    assert persons(lake, declaration_ids=[30], persons=[0, 4, 9]) == 2
    assert persons(lake, persons=[]) == 0
    assert lake.frames("authentic", ["employer_declaration"], persons=[0])["employer_declaration"].height == 3


def test_what_is_cancelled_is_history_and_not_in_force(lake):
    assert persons(lake, "history") == 18
    assert persons(lake, "history", declaration_ids=[40]) == 7
    assert persons(lake, declaration_ids=[40]) == 0


def test_an_unknown_table_is_named(lake):
    with pytest.raises(WrongUsage, match=r"no table authentic\.nothing, authentic\.x\."):
        lake.frames("authentic", ["x", "natural_person", "nothing"])


def test_values_are_passed_beside_the_query(lake):
    found = lake.arrow("SELECT name FROM lake.received.filing WHERE filing_id = ?", [2])
    assert found.to_pylist() == [{"name": "2.xml"}]
