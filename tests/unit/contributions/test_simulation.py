"""Both laws over the same declarations: effects worked out by hand, and what is left out."""

import polars as pl
import pytest

from contributions import compute
from contributions.simulation.effect import AMOUNT, LINE, Simulated, simulate
from contributions.simulation.file import read
from dmfa.quarter import Quarter
from tests.declared import Declarations

QUARTER = Quarter(2026, 3)
CATEGORY = "structural_reduction/category_1"
_FIGURES = {
    "f": "79",
    "alpha": "0.23",
    "s0": "10175.11",
    "gamma": "0.16",
    "s2": "10175.11",
    "delta": "0.06",
    "s1": "17140",
}
CATEGORY_2 = "parameters:\n" + "\n".join(
    f"  structural_reduction/category_2/{name}: '{text}'" for name, text in _FIGURES.items()
)


def worker(declared: Declarations | None = None, *, wage: int = 677_100, **reductions: int) -> Declarations:
    """The example of the NSSO for 2026/3: 6,771.00 over 66 days; S = 6,635.58, reduction 1,203.71."""
    declared = declared or Declarations()
    line = declared.employer().person().line("000", "495")
    occupation = line.occupation().remun("001", wage).service("001", 6_600)
    line.contribution("495", 0, wage, 0)
    for code, amount in reductions.items():
        occupation.deduction(code.strip("_"), amount)
    return declared


def simulated(declared: Declarations, text: str, quarter: Quarter = QUARTER) -> Simulated:
    return simulate(declared.tables(), quarter, read(text, quarter, file="what.yaml", name="what"))


def effects(found: Simulated) -> dict[str, int | None]:
    """Code to the change of its amounts; None where one of them is not computable."""
    change = pl.col("after_cents") - pl.col("before_cents")
    return dict(found.amounts.select("code", change).iter_rows())


@pytest.mark.parametrize(
    ("text", "contribution", "reduction"),
    [
        # 5,052.16 x 0.15 = 757.824, in place of 707.30
        (f"parameters: {{{CATEGORY}/alpha: '0.1500'}}", 0, 5_052),
        # The limit of 2026/1 a quarter longer: (11,458.57 - 6,635.58) x 0.14 = 675.2186, in place of 707.30
        (f"parameters: {{{CATEGORY}/s0: {{moved: 2026-07-01, to: 2026-10-01}}}}", 0, -3_208),
        # (6,771.00 x 37.07 % = 2,510.0097), in place of 2,577.7197
        ("rates: [{code: '495', type: 0, group: profit, base: '18.88'}]", -6_771, 0),
        ("rates: [{code: '495', type: 0, class: '000', total: '37.07'}]", -6_771, 0),
        ("rates: [{code: '495', type: 0, total: '37.07'}]", -6_771, 0),
        ("rates: [{code: '495', type: 0, class: '010', total: '37.07'}]", 0, 0),
        # No figure of category 2 is trusted in 2026/3; as an assumption each of them computes:
        # 79.00 + 0.23 x 3,539.53 + 0.16 x 3,539.53 = 79.00 + 814.09 + 566.32 = 1,459.41
        (f"categories: [{{class: '000', category: '2'}}]\n{CATEGORY_2}", 0, 25_570),
        ("categories: [{class: '000', category: '2'}]", 0, None),
        # 10 % of 6,771.00 is below 1,203.71
        ("categories: [{class: '000', ceiling: '10'}]", 0, 67_710 - 120_371),
        ("categories: [{class: '000', worker_code: '495', ceiling: '10'}]", 0, 67_710 - 120_371),
        ("categories: [{class: '000', worker_code: '015', ceiling: '10'}]", 0, 0),
        # The law's own figures.
        (f"parameters: {{{CATEGORY}/alpha: '0.14', {CATEGORY}/s0: '11687.74'}}", 0, 0),
        ("rates: [{code: '495', type: 0, base: '19.88', class: '000'}]", 0, 0),
        # Another quarter's.
        (f"parameters: {{{CATEGORY}/alpha: {{value: '0.15', from: 2026-10-01}}}}", 0, 0),
        ("rates: [{code: '495', type: 0, total: '1', from: 2026-10-01}]", 0, 0),
    ],
)
def test_effects_worked_out_by_hand(text: str, contribution: int, reduction: int | None) -> None:
    found = simulated(worker(_3000=120_371), text)
    assert effects(found) == {"495": contribution, "3000": reduction}
    assert found.amounts["before_cents"].to_list() == [257_772, 120_371]


@pytest.mark.parametrize(("limit", "amount"), [("90000.00", 198_800), ("100000", 0), ("86700", 264_404)])
def test_the_wage_limit(limit: str, amount: int) -> None:
    # (100,000.00 - limit) x 19.88 %; by the law (100,000.00 - 88,434.00) x 19.88 % = 2,299.32
    declared = Declarations()
    line = declared.employer().person().line("000", "495")
    line.occupation().remun("001", 10_000_000)
    line.contribution("495", 0, None, 0)
    line.deduction("1360", 0)
    found = simulated(declared, f"parameters: {{basic_contribution/quarterly_wage_limit: '{limit}'}}")
    assert effects(found)["1360"] == amount - 229_932


def test_a_reduction_due_under_one_law_alone_is_zero_under_the_other() -> None:
    # S = 0.98 x 9,500.00 = 9,310.00 lies between the limits: nothing is due until S0 is 9,738.14 or more.
    text = f"parameters: {{{CATEGORY}/s0: '9000.00', {CATEGORY}/s2: '9000.00'}}"
    assert effects(simulated(worker(wage=950_000), text))["3000"] == -(
        # (11,687.74 - 9,310.00) x 0.14 = 332.8836; (9,738.14 - 9,310.00) x 0.16 = 68.5024
        33_288 + 6_850
    )
    found = simulated(worker(wage=1_300_000), f"parameters: {{{CATEGORY}/s0: '13740.00'}}")
    # S = 12,740.00: by the law nothing; (13,740.00 - 12,740.00) x 0.14
    row = found.amounts.filter(code="3000").row(0, named=True)
    assert (row["before_cents"], row["after_cents"]) == (0, 14_000)


def test_what_one_of_the_laws_does_not_know_is_null_there() -> None:
    found = simulated(worker(_3000=120_371), f"parameters: {{{CATEGORY}/s0: null}}")
    assert effects(found) == {"495": 0, "3000": None}
    assert found.amounts.filter(code="3000").row(0, named=True)["before_cents"] == 120_371


def test_before_is_what_the_law_computes() -> None:
    declared = worker(worker(_3000=120_371), wage=400_000)
    declared.rows["employer_declaration"][1]["noss_registration_nbr"] = 200006
    law = compute(declared.tables())
    found = simulated(declared, f"parameters: {{{CATEGORY}/alpha: '0.1500'}}").amounts
    told = [
        frame.select(code=code, before_cents="amount_cents")
        for frame, code in ((law.contribution, "contribution_worker_code"), (law.deduction, "deduction_code"))
    ]
    assert found.select("code", "before_cents").sort(pl.all()).equals(pl.concat(told).sort(pl.all()))


def test_the_law_itself_stays_what_it_is() -> None:
    tables = worker(_3000=120_371).tables()
    before = compute(tables)
    simulated(worker(), f"parameters: {{{CATEGORY}/alpha: '0.1500'}}\nrates: [{{code: '495', type: 0, total: '1'}}]")
    for name, frame in compute(tables).frames().items():
        assert frame.equals(before.frames()[name]), name


def test_every_amount_has_its_declaration_and_line() -> None:
    declared = worker()
    worker(declared)
    _unrelated(declared)
    found = simulated(declared, f"parameters: {{{CATEGORY}/alpha: '0.1500'}}")
    assert found.lines.schema == LINE
    assert found.amounts.schema == AMOUNT
    assert found.lines["declaration"].to_list() == [0, 1]
    assert found.lines["structural_category"].to_list() == ["1", "1"]
    assert found.lines["wage_cents"].to_list() == [677_100, 677_100]
    assert found.declarations["persons"].to_list() == [1, 1]
    assert sorted(found.amounts.select("code", "declaration", "line").rows(), key=str) == [
        ("3000", 0, 0),
        ("3000", 1, 1),
        ("495", 0, 0),
        ("495", 1, 1),
        ("870", 1, None),
    ]


def _unrelated(declared: Declarations) -> None:
    keys = {"declaration_id": 2, "quarter": 20263, "contribution_unrelated_to_np_ordinal": 0}
    zones = {"unrelated_employer_class": "000", "unrelated_worker_code": "870"}
    amounts = {"unrelated_calculation_basis": 1_000, "unrelated_amount": 0}
    declared.rows["contribution_unrelated_to_np"].append({**keys, **zones, **amounts})


def test_a_number_that_stands_for_a_region_tells_it() -> None:
    declared = Declarations()
    employer = declared.employer()
    for units in ([8_999_999_104], [2_000_000_141], [8_999_999_203, 8_999_999_104], []):
        line = employer.person().line("000", "495")
        for unit in units:
            line.occupation()
            declared.rows["occupation"][-1]["local_unit_id"] = unit
    declared.rows["worker_record"][-1]["local_unit_id"] = 8_999_999_993
    found = simulated(declared, f"parameters: {{{CATEGORY}/alpha: '0.1500'}}")
    assert found.lines["region"].to_list() == ["flanders", None, "brussels", "abroad"]


def test_nothing_declared_is_nothing_simulated() -> None:
    found = simulated(Declarations(), f"parameters: {{{CATEGORY}/alpha: '0.1500'}}")
    assert found.amounts.is_empty()
    assert found.amounts.schema == AMOUNT


def test_no_person_is_in_the_result() -> None:
    found = simulated(worker(), f"parameters: {{{CATEGORY}/alpha: '0.1500'}}")
    columns = {name for frame in (found.declarations, found.lines, found.amounts) for name in frame.columns}
    assert "inss" not in columns


@pytest.mark.parametrize(("declared", "change"), [(17_274, 1_234), (0, 0), (10_000, None)])
def test_the_wage_that_an_amount_was_declared_of_holds_under_both_laws(declared: int, change: int | None) -> None:
    # 2025/4: of 10,000.00 the reduction is (11,233.89 - 10,000.00) x 0.14 = 172.7446, or x 0.15 = 185.0835; with the
    # premium of a fund, of 12,500.00, nothing. A third amount tells of neither wage.
    quarter = Quarter(2025, 4)
    made = Declarations()
    line = made.employer(quarter.code).person().line("000", "495")
    line.occupation().remun("001", 1_000_000).service("001", 6_500).deduction("3000", declared)
    found = simulated(made, f"parameters: {{{CATEGORY}/alpha: '0.1500'}}", quarter)
    assert effects(found) == {"3000": change}
