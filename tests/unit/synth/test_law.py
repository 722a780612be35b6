"""Amounts of the invented payroll against calculations by hand."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from random import Random

import pytest

from dmfa.quarter import Quarter
from dmfa.synth.declaration import DeclaredPerson, Line, Occupation, Remun, Service, Student
from dmfa.synth.employer import Employer, employer
from dmfa.synth.figures import Figures
from dmfa.synth.law import Law

SMALL = employer(1, 0, trade="general", exact_size=3)
LARGE = employer(1, 1, trade="services", exact_size=25)


def occupation(services: list[Service], remuns: list[Remun], weekly: int = 3800) -> Occupation:
    part_time = weekly < 3800
    return Occupation(
        sequence=1,
        start=date(2019, 3, 1),
        end=None,
        joint_committee="200",
        days_system=500,
        part_time=part_time,
        ref_hours=3800,
        mean_hours=weekly if part_time else None,
        local_unit=7_000_000_097,
        services=services,
        remuns=remuns,
    )


def charged(line: Line, who: Employer, quarter: str = "2026/3") -> Line:
    Law(Figures.of(Quarter.parse(quarter))).charge(DeclaredPerson(77101500172, [line]), who)
    return line


def contributions(line: Line) -> dict[tuple[str, int], tuple[int | None, int]]:
    return {(item.code, item.type): (item.basis, item.amount) for item in line.contributions}


def test_a_manual_worker_by_hand() -> None:
    """Full quarter of 66 days at 3,000.00 a month, employer of three workers, 2026/3.

    Basis 9,000.00 x 1.08 = 9,720.00.
    Structural: 13 x 5 / 66 = 0.98, S = 8,820.00, 0.14 x (11,687.74 - 8,820.00) = 401.48,
    0.16 x (9,738.14 - 8,820.00) = 146.90, R = 548.38; mu = 66 / 65 = 1.02, beta = 1 / 1.02, so Ps = R.
    Work bonus: July and August 137.74 - 0.3452 x (3,000.00 - 2,937.93) = 116.31, September 137.74 - 0.2958 x 62.07
    = 119.38; the part for low wages is nil above 2,937.93.
    """
    line = charged(Line("000", "015", [occupation([Service(1, 6600)], [Remun(1, 900_000)])]), SMALL)
    assert contributions(line) == {
        ("015", 1): (972_000, 370_040),  # 38.07 % = 3,700.404
        ("253", 0): (972_000, 54_140),  # 5.57 % = 541.404
        ("255", 0): (972_000, 194),  # 0.02 % = 1.944
        ("256", 0): (972_000, 97),  # 0.01 % = 0.972
        ("809", 0): (972_000, 3_305),  # 0.34 % = 33.048
        ("810", 0): (972_000, 972),  # 0.10 %
        ("859", 0): (972_000, 972),  # 0.10 %
    }
    assert [(cut.code, cut.amount) for cut in line.occupations[0].deductions] == [("3000", 54_838)]
    assert [(cut.code, cut.amount) for cut in line.deductions] == [("0001", 2 * 11_631 + 11_938)]


def test_a_part_time_white_collar_worker_by_hand() -> None:
    """Half-time, 228 hours paid and 22.80 ill, 4,200.00, employer of twenty-five workers, 2026/3.

    Factor 494 / 228 = 2.17, S = 9,114.00, 0.14 x 2,573.74 = 360.32, 0.16 x 624.14 = 99.86, R = 460.18;
    mu = 228 / 494 = 0.46, beta = 1.18, Ps = 460.18 x 0.46 x 1.18 = 249.7857.
    """
    services = [Service(1, 6000, 22_800), Service(50, 600, 2_280)]
    line = charged(Line("010", "495", [occupation(services, [Remun(1, 420_000)], 1900)]), LARGE)
    assert contributions(line) == {
        ("495", 0): (420_000, 159_894),  # 38.07 %
        ("255", 0): (420_000, 84),  # 0.02 %
        ("256", 0): (420_000, 42),  # 0.01 %
        ("809", 5): (420_000, 1_638),  # 0.39 %
        ("810", 0): (420_000, 420),  # 0.10 %
        ("855", 0): (420_000, 7_098),  # 1.69 %
        ("859", 0): (420_000, 420),  # 0.10 %
        ("831", 0): (420_000, 966),  # 0.23 %
    }
    assert [(cut.code, cut.amount) for cut in line.occupations[0].deductions] == [("3000", 24_979)]
    assert line.deductions == []


@pytest.mark.parametrize(
    ("services", "wage", "weekly", "expected"),
    [
        # Worked examples of 2026/3: full time 66 days; 15 hours of 38 with 195 paid and 15 holiday hours.
        ([Service(1, 6600)], 677_100, 3800, 120_371),
        ([Service(1, 5000, 19_500), Service(2, 400, 1_500), Service(50, 100, 400)], 291_135, 1500, 49_962),
        # 20 % of the time: mu 0.20 is below the floor, and the contract below half-time.
        ([Service(1, 1300, 9_880)], 150_000, 760, None),
        # The same time in a full-time contract keeps 1.18: factor 5, S 7,500.00, R 586.28 + 358.10 = 944.38,
        # x 0.20 x 1.18 = 222.87.
        ([Service(1, 1300)], 150_000, 3800, 22_287),
        # A wage above both limits.
        ([Service(1, 6500)], 1_200_000, 3800, None),
    ],
)
def test_structural_reduction(services: list[Service], wage: int, weekly: int, expected: int | None) -> None:
    line = charged(Line("000", "495", [occupation(services, [Remun(1, wage)], weekly)]), SMALL)
    assert [cut.amount for cut in line.occupations[0].deductions] == ([expected] if expected else [])


def test_two_occupations_share_beta_but_not_the_wage() -> None:
    """Half of the quarter full-time, half of it half-time, 2026/3.

    First: 33 days, factor 65 / 33 = 1.97, W 4,000.00, S 7,880.00, R 533.08 + 297.30 = 830.38, mu 0.51.
    Second: 125.40 hours, factor 494 / 125.4 = 3.94, W 2,000.00, S 7,880.00, R 830.38, mu 0.25.
    Together 0.76: beta = 1.18 + 0.21 x 0.28 = 1.2388. Ps 524.62 and 257.17.
    """
    first = occupation([Service(1, 3300)], [Remun(1, 400_000)])
    second = occupation([Service(1, 3300, 12_540)], [Remun(1, 200_000)], 1900)
    line = charged(Line("000", "495", [first, second]), SMALL)
    assert [cut.amount for one in line.occupations for cut in one.deductions] == [52_462, 25_717]
    assert contributions(line)[("495", 0)] == (600_000, 228_420)


def test_dismissal_pay_keeps_its_occupation_out() -> None:
    line = charged(Line("000", "495", [occupation([Service(1, 6500)], [Remun(3, 800_000)])]), SMALL)
    assert line.occupations[0].deductions == []
    assert contributions(line)[("495", 0)][0] == 800_000


def test_a_student_pays_solidarity_only() -> None:
    line = Line("000", "840", student=Student(120_000, 80, 7_000_000_097))
    charged(line, SMALL)
    assert line.contributions == []
    assert line.student is not None
    assert line.student.amount == 9_768  # 8.14 % of 1,200.00


def test_an_apprentice_owes_little_and_has_no_reduction() -> None:
    line = charged(Line("000", "035", [occupation([Service(1, 6500)], [Remun(1, 300_000)])]), SMALL)
    assert contributions(line)[("035", 1)] == (324_000, 4_374)  # 1.35 % of 3,240.00
    assert ("810", 0) not in contributions(line)
    assert line.occupations[0].deductions == []


def test_before_2024_small_contributions_are_inside_the_rate() -> None:
    line = charged(Line("000", "015", [occupation([Service(1, 6500)], [Remun(1, 900_000)])]), SMALL, "2023/1")
    assert contributions(line)[("015", 1)] == (972_000, 424_472)  # 43.67 % = 4,244.724
    assert not {"253", "255", "256"} & {code for code, _ in contributions(line)}


def test_a_figure_of_trust_c_is_not_declared() -> None:
    """In 2025/2 the sources of the structural reduction disagree; 855 is confirmed for 2026/3 only."""
    line = charged(Line("010", "495", [occupation([Service(1, 6200)], [Remun(1, 800_000)])]), LARGE, "2025/2")
    assert line.occupations[0].deductions == []
    assert ("855", 0) not in contributions(line)
    assert contributions(line)[("495", 0)] == (800_000, 304_560)


def test_without_a_confirmed_ordinary_rate_nothing_is_reduced() -> None:
    """The sources disagree on the ordinary rate of 2022/4; the structural reduction of that quarter is known."""
    line = charged(Line("000", "495", [occupation([Service(1, 6500)], [Remun(1, 600_000)])]), SMALL, "2022/4")
    assert ("495", 0) not in contributions(line)
    assert line.occupations[0].deductions == []


@pytest.mark.parametrize(
    ("days", "wage", "hours", "expected"),
    [
        # 2022/3, category 1: alpha 0.14, S0 9,975.37, gamma 0.40, S2 6,007.49.
        (6500, 750_000, None, 34_655),  # S 7,500.00: 0.14 x 2,475.37
        (6000, 540_000, None, 65_027),  # factor 1.08, S 5,832.00: 580.07 + 70.20, mu 0.92, beta 1 / 0.92
        (3250, 375_000, 24_700, 20_446),  # half-time: factor 2.00, mu 0.50, 346.55 x 0.50 x 1.18
        (5200, 600_000, 39_520, 34_655),  # 80 %: factor 1.25, mu 0.80, beta 1 / 0.80
        (3900, 450_000, 29_640, 24_676),  # 60 %: factor 1.67, S 7,515.00, R 344.45, beta 1.194
        (6500, 1_100_000, None, None),  # above S0
    ],
)
def test_structural_reduction_in_2022(days: int, wage: int, hours: int | None, expected: int | None) -> None:
    weekly = 3800 if hours is None else hours // 13
    line = charged(
        Line("000", "495", [occupation([Service(1, days, hours)], [Remun(1, wage)], weekly)]), SMALL, "2022/3"
    )
    assert [cut.amount for cut in line.occupations[0].deductions] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("wage", "expected"),
    [
        # 2022/3, category 2: F 79.00, 0.2557 x (8,379.97 - 8,000.00) = 97.16.
        (800_000, 17_616),
        # F 79.00, 0.06 x (16,000.00 - 14,628.86) = 82.27.
        (1_600_000, 16_127),
    ],
)
def test_structural_reduction_of_category_2(wage: int, expected: int) -> None:
    care = employer(1, 2, trade="care", exact_size=3)
    line = charged(Line("122", "495", [occupation([Service(1, 6500)], [Remun(1, wage)])]), care, "2022/3")
    assert [cut.amount for cut in line.occupations[0].deductions] == [expected]


def test_the_structural_reduction_stays_below_the_base_contributions() -> None:
    """S 3,000.00: R 1,216.28 + 1,078.10 = 2,294.38, but 25 % of 3,000.00 is 750.00."""
    line = charged(Line("000", "495", [occupation([Service(1, 6500)], [Remun(1, 300_000)])]), SMALL)
    assert [cut.amount for cut in line.occupations[0].deductions] == [75_000]


def exactly(occupations: list[Occupation]) -> list[int]:
    """The structural reduction of category 1 in 2026/3 by fractions, straight from the formula."""
    half = Fraction(1, 2)

    def rounded(value: Fraction) -> int:
        return math.floor(value + half)

    def time(one: Occupation, codes: set[int]) -> Fraction:
        if one.part_time:
            hours = sum(service.hours or 0 for service in one.services if service.code in codes)
            return Fraction(hours, one.ref_hours)
        return Fraction(sum(service.days for service in one.services if service.code in codes), one.days_system)

    mus = [Fraction(rounded(time(one, {1, 2, 3, 5, 12, 20, 72}) / 13 * 100), 100) for one in occupations]
    overall = sum(mus, Fraction(0))
    found = []
    for one, mu in zip(occupations, mus, strict=True):
        wage = sum(remun.amount for remun in one.remuns if remun.code in {1, 2, 4, 5, 12})
        weeks = time(one, {1, 3, 5, 20})
        if not weeks:
            found.append(0)
            continue
        reference = rounded(wage * Fraction(rounded(13 / weeks * 100), 100))
        full = rounded(Fraction("0.14") * max(0, 1_168_774 - reference))
        full += rounded(Fraction("0.16") * max(0, 973_814 - reference))
        half_time = not one.part_time or (one.mean_hours or 0) * 2 >= one.ref_hours
        if overall >= Fraction("0.8"):
            beta = 1 / overall
        elif overall >= Fraction("0.55"):
            beta = Fraction("1.18") + (overall - Fraction("0.55")) * Fraction("0.28")
        else:
            beta = Fraction("1.18") if overall >= Fraction("0.275") or half_time else Fraction(0)
        found.append(rounded(full * mu * beta))
    return found


def test_whole_numbers_give_what_fractions_give() -> None:
    """Times and wages of all sizes, one or two occupations, with days and with hours."""
    rng, law = Random(9), Law(Figures.of(Quarter(2026, 3)))
    some = 0
    for _ in range(400):
        occupations = []
        for _ in range(rng.choice((1, 1, 2))):
            weekly = rng.choice((3800, 3800, 760, 1900, 2533, 3040))
            days = [(code, rng.randint(1, 4000)) for code in rng.sample((1, 2, 3, 5, 12, 20, 30, 50, 72), 3)]
            services = [Service(code, many, many * weekly // 500 if weekly < 3800 else None) for code, many in days]
            pay = [Remun(rng.choice((1, 2, 6, 12)), rng.randint(1, 500_000)) for _ in range(2)]
            occupations.append(occupation(services, pay, weekly))
        law.charge(DeclaredPerson(1, [Line("000", "495", occupations)]), SMALL)
        assert [sum(cut.amount or 0 for cut in one.deductions) for one in occupations] == [
            min(amount, cap) for amount, cap in zip(exactly(occupations), caps(occupations), strict=True)
        ]
        some += any(one.deductions for one in occupations)
    assert some > 100


def caps(occupations: list[Occupation]) -> list[int]:
    """25 % of the wages with contributions, in parts that add up to that of the line."""
    found, wages = [], 0
    for one in occupations:
        earlier = math.floor(Fraction(wages, 4) + Fraction(1, 2))
        wages += sum(remun.amount for remun in one.remuns if remun.code in {1, 2, 6})
        found.append(math.floor(Fraction(wages, 4) + Fraction(1, 2)) - earlier)
    return found
