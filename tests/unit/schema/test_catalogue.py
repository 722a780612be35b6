"""The official catalogue: what each version knows, and which version judges a quarter."""

from dmfa.quarter import Quarter
from dmfa.schema.catalogue import catalogue, catalogues
from dmfa.schema.given import ABSENT, FOREIGN, official_code


def test_numbers_of_codes() -> None:
    counted = {
        (name, str(version)): (
            sum(version in one.severities and not one.of_block for one in known.codes.values()),
            sum(version in one.severities and one.of_block for one in known.codes.values()),
        )
        for name, known in catalogues().items()
        for version in known.versions
    }
    assert counted == {
        ("DmfAOriginal", "2022/3"): (1_542, 182),
        ("DmfAOriginal", "2023/2"): (1_646, 201),
        ("DmfAOriginal", "2023/3"): (1_649, 202),
        ("DmfAUpdate", "2023/2"): (1_744, 245),
        ("DmfAUpdate", "2023/3"): (1_747, 246),
    }


def test_the_newest_version_not_later_judges_else_the_oldest() -> None:
    known = catalogue()
    versions = {20221: "2022/3", 20231: "2022/3", 20232: "2023/2", 20233: "2023/3", 20263: "2023/3"}
    assert {quarter: str(known.version(quarter)) for quarter in versions} == versions
    assert known.severity("00039-014", 20231) == "P"
    assert known.severity("00039-014", 20232) == "B"
    assert known.severity("90107-001", 20222) is None
    assert known.severity("99999-001", 20263) is None


def test_a_code_tells_its_number_and_kind() -> None:
    one = catalogue().codes["90107-001"]
    assert (one.number, one.kind, one.of_block, one.element) == ("90107", "001", True, "UsingEmployer")
    assert list(one.severities) == [Quarter(2023, 2), Quarter(2023, 3)]


def test_where_no_kind_fits_the_block_around_is_told() -> None:
    assert official_code("00012", [ABSENT], "90007") == "00012-001"
    assert official_code("90017", [ABSENT], "90007") == "90017-134"
    assert official_code("01195", [FOREIGN], "90015") == "90015-146"
    assert official_code("", [FOREIGN], "90015") == "90015-146"
    assert official_code("", [FOREIGN]) == "90059-163"
    assert official_code("09901", [FOREIGN], "90015") == "09901-146", "a number of a newer release keeps its kind"
