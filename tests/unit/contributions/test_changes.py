"""The file of changes: what may be written, and what a person is told where it may not."""

from datetime import date

import pytest

from contributions.parameters import Parameter, ParameterUnknown, load
from contributions.rates import contribution_rates, structural_classes, structural_exceptions
from contributions.simulation.changes import ChangeFault, Changes
from contributions.simulation.differences import differences
from contributions.simulation.effect import verified
from contributions.simulation.file import read
from dmfa.errors import WrongUsage
from dmfa.quarter import Quarter

QUARTER = Quarter(2026, 3)
S0 = "structural_reduction/category_1/s0"
LIMIT = "basic_contribution/quarterly_wage_limit"


def changes(text: str, quarter: Quarter = QUARTER) -> Changes:
    found = read(text, quarter, file="what.yaml", name="what")
    verified(found, quarter, trust="B", structural_2025_2="")
    return found


def figures(text: str, name: str) -> dict[str, str | None]:
    """The figures of a parameter from 2026 on, by first day."""
    (parameter,) = [one for one in changes(text).parameters if one.name == name]
    return {str(value.since): value.text for value in parameter.values if value.since >= date(2026, 1, 1)}


def test_every_parameter_may_be_changed_by_its_name_and_to_what_it_is() -> None:
    told = {name: text for name in load() if (text := held(name, load())) is not None}
    found = changes("parameters:\n" + "".join(f'  {name}: "{text}"\n' for name, text in told.items()))
    assert {one.name: held(one.name, found.by_name) for one in found.parameters} == told
    assert differences(found, QUARTER, "B") == ()


def held(name: str, known: dict[str, Parameter]) -> str | None:
    """The figure of all months of the quarter; None without any, or where it changes from one to the next."""
    try:
        told = {known[name].in_force(QUARTER, month).text for month in range(3)}
    except ParameterUnknown:
        return None
    return told.pop() if len(told) == 1 else None


def test_a_figure_of_a_month_may_change_inside_the_quarter() -> None:
    name = "work_bonus/at_100/a_maximum"
    text = f"parameters:\n  {name}: {{value: '130.00', from: 2026-08-01, until: 2026-08-31}}\n"
    assert figures(text, name)["2026-08-01"] == "130.00"
    (one,) = differences(changes(text), QUARTER, "B")
    assert (one.before, one.after) == ("127.54", "127.54 / 130.00 / 127.54")
    with pytest.raises(ChangeFault, match="is not the first day of a month"):
        changes(text.replace("2026-08-01", "2026-08-02"))


@pytest.mark.parametrize(
    ("written", "found"),
    [
        # Without days: in the quarter alone, then the law's own again (which knows nothing of 2026/4).
        ("90000.00", {"2026-01-01": "86700.00", "2026-07-01": "90000.00", "2026-10-01": None}),
        ("90000", {"2026-01-01": "86700.00", "2026-07-01": "90000", "2026-10-01": None}),
        # Until the next value of the law.
        (
            '{value: "90000.00", from: 2026-04-01}',
            {"2026-01-01": "86700.00", "2026-04-01": "90000.00", "2026-07-01": "88434.00", "2026-10-01": None},
        ),
        # The law comes back in the middle of one of its own values.
        (
            '{value: "90000.00", from: 2026-01-01, until: 2026-03-31}',
            {"2026-01-01": "90000.00", "2026-04-01": "86700.00", "2026-07-01": "88434.00", "2026-10-01": None},
        ),
        # One that spans several of its values.
        (
            '{value: "90000.00", from: 2026-01-01, until: 2027-03-31}',
            {"2026-01-01": "90000.00", "2027-04-01": None},
        ),
        (
            '\n    - {value: "1.00", from: 2026-01-01, until: 2026-06-30}\n    - {value: "2.00", from: 2026-07-01}',
            {"2026-01-01": "1.00", "2026-07-01": "2.00", "2026-10-01": None},
        ),
        # A day that is moved, forwards over the end of what is known, and backwards.
        ("{moved: 2026-07-01, to: 2026-10-01}", {"2026-01-01": "86700.00", "2026-10-01": "88434.00"}),
        (
            "{moved: 2026-07-01, to: 2026-04-01}",
            {"2026-01-01": "86700.00", "2026-04-01": "88434.00", "2026-10-01": None},
        ),
        ("null", {"2026-01-01": "86700.00", "2026-07-01": None, "2026-10-01": None}),
    ],
)
def test_figures_and_days(written: str, found: dict[str, str | None]) -> None:
    assert figures(f"parameters:\n  {LIMIT}: {written}\n", LIMIT) == found


def test_a_changed_figure_is_marked_and_lowers_no_trust() -> None:
    (parameter,) = changes(f"parameters: {{{S0}: '12000.00'}}").parameters
    value = parameter.in_force(QUARTER)
    assert (value.source, value.trust) == ("simulation: what", "A")


def test_a_moved_figure_keeps_the_trust_of_the_law() -> None:
    (parameter,) = changes(f"parameters: {{{LIMIT}: {{moved: 2026-07-01, to: 2026-04-01}}}}").parameters
    value = parameter.in_force(Quarter(2026, 2))
    assert value.trust == "B"
    assert value.source.startswith("simulation: what, from 2026-04-01 in place of 2026-07-01; payroll software")


@pytest.mark.parametrize(
    ("text", "line", "what", "todo"),
    [
        ("", 1, "nothing is changed", "parameters, rates, categories"),
        ("# only words\n", 1, "nothing is changed", ""),
        ("parameter: {}\n", 1, "unknown word parameter", "Did you mean parameters?"),
        ("[1, 2]\n", 1, "expected names with values", ""),
        ("parameters: [\n", 2, "not readable as YAML", ""),
        ("parameters: *none\n", 1, "not readable as YAML", ""),
        ("a: 1\n---\nb: 1\n", 2, "not readable as YAML", ""),
        ("\0", 1, "not readable as YAML", ""),
        ("&own [*own]\n", 1, "expected names with values", ""),
        ("#\n" + "[" * 400_000, 2, "nested deeper", ""),
        ("parameters:\n  structural_reduction/category_1/S0: '1'\n", 2, "there is no parameter", S0),
        ("parameters:\n  s0: '1'\n", 2, "there is no parameter s0", f"Did you mean {S0} or"),
        ("parameters:\n  basic_contribution/quaterly_wage_limit: '1'\n", 2, "there is no parameter", LIMIT),
        ("parameters:\n  zzz: '1'\n", 2, "there is no parameter zzz", "docs/law-parameters.md"),
        (f"parameters:\n  {S0}: '1'\n  {S0}: '2'\n", 3, "stands here twice", ""),
        (f"parameters:\n  {S0}: many\n", 2, "is not a number (euro per quarter)", ""),
        (f"parameters:\n  {S0}: 11.687,74\n", 2, "is not a number", ""),
        (f"parameters:\n  {S0}: -1\n", 2, "is not a number", "without sign"),
        (f"parameters:\n  {S0}: 1e3\n", 2, "is not a number", ""),
        (f"parameters:\n  {S0}: 1_000\n", 2, "is not a number", ""),
        (f"parameters:\n  {S0}: '12.345'\n", 2, "is finer than", "0.01"),
        (f"parameters:\n  {S0}: '10000000.01'\n", 2, "out of range: at most 10,000,000", ""),
        ("parameters:\n  structural_reduction/category_1/alpha: '14'\n", 2, "out of range: at most 1 (fraction)", ""),
        ("parameters:\n  structural_reduction/worker_codes: 15;495\n", 2, "is not a list of codes", ""),
        ("parameters:\n  rounding/reduction: down\n", 2, "unknown: down", "half up to the cent"),
        (f"parameters:\n  {S0}: {{value: '1', from: 2026-07-02}}\n", 2, "is not the first day of a quarter", ""),
        (f"parameters:\n  {S0}: {{value: '1', until: 2026-09-29}}\n", 2, "is not the last day of a quarter", ""),
        (f"parameters:\n  {S0}: {{value: '1', from: 1 July 2026}}\n", 2, "is not a day", "2026-07-01"),
        (f"parameters:\n  {S0}: {{value: '1', from: 2026-13-01}}\n", 2, "is not a day", ""),
        (f"parameters:\n  {S0}: {{value: '1', from: 2026-07-01, until: 2026-03-31}}\n", 2, "before it begins", ""),
        (f"parameters:\n  {S0}: {{valu: '1'}}\n", 2, "unknown word valu", "Did you mean value?"),
        (f"parameters:\n  {S0}: {{from: 2026-07-01}}\n", 2, "expected a value", ""),
        (
            f"parameters:\n  {S0}:\n    - {{value: '1', from: 2026-04-01, until: 2026-09-30}}\n"
            "    - {value: '2', from: 2026-07-01}\n",
            4,
            "overlap on 2026-07-01",
            "",
        ),
        (f"parameters:\n  {S0}:\n    - '1'\n    - '2'\n", 4, "overlap on 2026-07-01", ""),
        (f"parameters:\n  {S0}: {{moved: 2026-07-01}}\n", 2, "moved by `moved` and `to`", ""),
        (
            f"parameters:\n  {LIMIT}: {{moved: 2025-04-01, to: 2025-07-01}}\n",
            2,
            "no value from 2025-04-01",
            "2025-07-01",
        ),
        (f"parameters:\n  {LIMIT}: {{moved: 2025-07-01, to: 2026-04-01}}\n", 2, "another one in between", ""),
        ("rates: {code: '495', total: '1'}\n", 1, "named by its code and type", ""),
        ("rates:\n  - {code: '495', type: 0}\n", 2, "no figure of the rate", "total, personal, base, moderation"),
        ("rates:\n  - {code: 15, type: 1, total: '1'}\n", 2, "15 is not a code of three digits", '"015"'),
        ("rates:\n  - {code: '495', type: zero, total: '1'}\n", 2, "is not a contribution type", ""),
        ("rates:\n  - {code: '495', type: 0, total: 1.234}\n", 2, "is not a percentage", ""),
        ("rates:\n  - {code: '495', type: 0, total: '100.01'}\n", 2, "more than 100 %", ""),
        ("rates:\n  - {code: '495', type: 7, total: '1'}\n", 2, "no rate is known of", "Types of 495"),
        ("rates:\n  - {code: '998', type: 0, total: '1'}\n", 2, "no rate is known of", "docs/law-coverage.md"),
        ("rates:\n  - {code: '495', type: 0, group: proft, base: '1'}\n", 2, "unknown: proft", "Did you mean profit?"),
        ("rates:\n  - {code: '495', type: 0, group: profit, class: '000', base: '1'}\n", 2, "exclude one another", ""),
        ("rates:\n  - {code: '495', type: 0, total: '38.08', base: '19.88'}\n", 2, "do not add up", ""),
        ("rates:\n  - {code: '015', type: 1, class: '221', base: '19.88'}\n", 2, "not all known", "Give its total."),
        (
            "rates:\n  - {code: '495', type: 0, total: '1'}\n  - {code: '495', type: 0, class: '000', total: '2'}\n",
            3,
            "changed twice",
            "",
        ),
        ("rates:\n  - {code: '856', type: 0, total: '1'}\n", 2, "its figures are parameters", "under parameters"),
        ("categories:\n  - {class: '012'}\n", 2, "expected a class", ""),
        ("categories:\n  - {class: '999', category: '2'}\n", 2, "class 999 is not known", ""),
        ("categories:\n  - {class: '000', category: '4'}\n", 2, "unknown: 4", "1, 2, 3, 3bis"),
        ("categories:\n  - {class: '000', ceiling: '101'}\n", 2, "out of range", ""),
        (
            "categories:\n  - {class: '000', category: '2'}\n  - {class: '000', ceiling: '20'}\n",
            3,
            "changed twice",
            "",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, line: int, what: str, todo: str) -> None:
    with pytest.raises(ChangeFault) as refused:
        changes(text)
    assert isinstance(refused.value, WrongUsage)
    assert refused.value.what.startswith(f"what.yaml, line {line}: ")
    assert what in str(refused.value)
    assert todo in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("structural_reduction/beta/slope", "0.285"), ("structural_reduction/maribel_committee", "318 327")],
)
def test_a_figure_of_which_no_rule_can_be_made_is_told(name: str, text: str) -> None:
    with pytest.raises(ChangeFault, match=f"no rule of the law can be made of the value given for {name}"):
        changes(f"parameters: {{{name}: '{text}'}}")


def test_what_holds_in_another_quarter_is_read_and_changes_nothing() -> None:
    text = (
        "rates:\n  - {code: '495', type: 0, total: '1', from: 2026-10-01}\n"
        "categories:\n  - {class: '000', category: '2', until: 2026-06-30, from: 2026-01-01}\n"
        f"parameters:\n  {S0}: {{value: '1', from: 2026-10-01}}\n"
    )
    found = changes(text)
    assert (found.rates, found.categories) == ((), ())
    assert differences(found, QUARTER, "B") == ()


def test_a_share_moves_the_total_and_a_total_alone_leaves_the_shares_untold() -> None:
    text = (
        "rates:\n  - {code: '495', type: 0, class: '000', base: '18.88'}\n"
        "  - {code: '495', type: 0, class: '010', total: '40'}\n"
    )
    rates = contribution_rates(QUARTER, "B", None, changes(text))
    shares = ("rate", "rate_personal", "rate_base", "rate_moderation")
    own = {
        row["employer_class"]: tuple(row[name] for name in (*shares, "rate_source"))
        for row in rates.iter_rows(named=True)
        if (row["contribution_worker_code"], row["contribution_type"]) == ("495", 0)
    }
    assert own["000"] == (3707, 1307, 1888, 512, "simulation: what")
    assert own["010"] == (4000, None, None, None, "simulation: what")
    assert own["052"][:4] == (3807, 1307, 1988, 512)


def test_a_category_holds_for_the_worker_codes_that_have_none_of_their_own() -> None:
    found = changes("categories:\n  - {class: '002', category: '2', ceiling: '30'}\n")
    classes = {row["employer_class"]: row for row in structural_classes(QUARTER, "B", found).iter_rows(named=True)}
    assert (classes["002"]["class_category"], classes["002"]["class_ceiling"]) == ("2", 3000)
    assert classes["000"]["class_category"] == "1"
    (own,) = structural_exceptions(QUARTER, "B", None, found).filter(employer_class="002").iter_rows(named=True)
    assert (own["worker_code"], own["own_category"], own["own_ceiling"]) == ("401", "1", 1988)


def test_a_worker_code_may_get_a_category_of_its_own() -> None:
    found = changes("categories:\n  - {class: '000', worker_code: '495', category: '3'}\n")
    (own,) = structural_exceptions(QUARTER, "B", None, found).filter(employer_class="000").iter_rows(named=True)
    assert (own["worker_code"], own["own_category"], own["own_ceiling"]) == ("495", "3", 2500)


def test_equal_changes_are_one_key_and_others_another() -> None:
    one, same = (changes(f"parameters: {{{S0}: '12000.00'}}") for _ in range(2))
    other = changes(f"parameters: {{{S0}: '12000.01'}}")
    assert len({one, same, other}) == 2
    assert one.digest == same.digest != other.digest
