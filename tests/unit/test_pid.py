"""Identifiers: stable, within eleven digits, never shared."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dmfa.pid import PRIME, declaration_pid, declared_person_pid, person_pid

INSS = st.integers(1, 99_532_999_997)
HIGHEST = 99_999_999_999


def of(expr: pl.Expr, **columns: list[int | None]) -> list[int]:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64)).select(expr).to_series().to_list()


def test_the_modulus_is_the_largest_prime_of_eleven_digits() -> None:
    def prime(number: int) -> bool:
        return all(number % divisor for divisor in range(3, 316_228, 2))

    assert prime(PRIME)
    assert not any(prime(number) for number in range(PRIME + 2, HIGHEST + 1, 2))


@given(st.lists(INSS, min_size=2, max_size=20, unique=True))
def test_two_persons_never_share_one(numbers: list[int]) -> None:
    found = of(person_pid(pl.col("inss")), inss=list(numbers))
    # The same in whole numbers of any size.
    assert found == [number * 70_710_678_119 % PRIME + 1 for number in numbers]
    assert len(set(found)) == len(numbers)
    assert all(1 <= pid <= HIGHEST for pid in found)


@given(st.lists(INSS, min_size=2, max_size=20, unique=True), st.integers(1, PRIME))
def test_nor_do_two_persons_of_one_declaration(numbers: list[int], declaration: int) -> None:
    found = of(declared_person_pid(pl.col("inss"), pl.lit(declaration)), inss=list(numbers))
    assert found == [(number * 57_721_566_491 % PRIME + declaration) % PRIME + 1 for number in numbers]
    assert len(set(found)) == len(numbers)


EMPLOYER = st.one_of(
    st.tuples(st.integers(1_000, 1_999_999), st.just(None)),
    st.tuples(st.sampled_from((0, None)), st.integers(1, 19_999_999)),
)
QUARTERS = st.tuples(st.integers(2003, 2150), st.integers(1, 4))


def numbered(employer: tuple[int | None, int | None]) -> tuple[int | None, int | None]:
    """Both numbers with their check digits."""
    noss, company = employer
    return (noss * 100 + 96 - noss * 100 % 97 if noss else noss), (company * 100 + 97 - company % 97 if company else 0)


@given(st.lists(st.tuples(EMPLOYER, QUARTERS), min_size=2, max_size=20, unique_by=str))
def test_two_declarations_never_share_one(drawn: list[tuple[tuple[int | None, int | None], tuple[int, int]]]) -> None:
    numbers = [numbered(employer) for employer, _ in drawn]
    found = of(
        declaration_pid(pl.col("noss"), pl.col("company"), pl.col("quarter")),
        noss=[noss for noss, _ in numbers],
        company=[company for _, company in numbers],
        quarter=[year * 10 + quarter for _, (year, quarter) in drawn],
    )
    keys = {
        (noss or 0, None if noss else company, when) for (noss, company), (_, when) in zip(numbers, drawn, strict=True)
    }
    assert len(set(found)) == len(keys)
    assert all(1 <= pid <= HIGHEST for pid in found)


def test_the_enterprise_number_counts_only_without_one_of_the_nsso() -> None:
    quarters: list[int | None] = [20263, 20263, 20263]
    one, same, other = of(
        declaration_pid(pl.col("noss"), pl.col("company"), pl.col("quarter")),
        noss=[70500472, 70500472, 0],
        company=[400767772, None, 400767772],
        quarter=quarters,
    )
    assert one == same != other
