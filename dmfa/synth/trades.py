"""What invented employers do: categories, joint committees and the mix of their workers.

Categories and joint committees exist (annex 27, zone 00046). Which of them go together, how often and with which
workers is made up, and says nothing about the law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dmfa.synth.people import Kind


@dataclass(frozen=True, slots=True)
class Trade:
    """What an employer does, as far as a declaration shows it.

    Attributes:
        name: our own word for it.
        employer_class: annex 27.
        sector: `private` or `public`.
        fund: the employer's code at the closure fund: C commercial (809), B non-commercial (811), N none.
        manual_committee, white_collar_committee: joint committees of zone 00046.
        staff: kinds of workers and how many in a thousand.
        per_thousand: how many employers in a thousand.
    """

    name: str
    employer_class: str
    sector: Literal["private", "public"]
    fund: Literal["C", "B", "N"]
    manual_committee: str
    white_collar_committee: str
    staff: tuple[tuple[Kind, int], ...]
    per_thousand: int


TRADES: Final[tuple[Trade, ...]] = (
    Trade(
        "general",
        "000",
        "private",
        "C",
        "100",
        "200",
        (
            ("manual", 400),
            ("white_collar", 430),
            ("student", 70),
            ("apprentice", 40),
            ("activated", 20),
            ("early_retired", 20),
            ("supplemented", 20),
        ),
        175,
    ),
    Trade(
        "services",
        "010",
        "private",
        "C",
        "100",
        "200",
        (("manual", 150), ("white_collar", 780), ("student", 60), ("apprentice", 10)),
        210,
    ),
    Trade(
        "hospitality",
        "017",
        "private",
        "C",
        "302",
        "302",
        (("manual", 420), ("white_collar", 130), ("student", 220), ("flexi", 200), ("apprentice", 30)),
        130,
    ),
    Trade(
        "building",
        "024",
        "private",
        "C",
        "124",
        "200",
        (("manual", 800), ("white_collar", 130), ("student", 20), ("apprentice", 50)),
        70,
    ),
    Trade(
        "care",
        "122",
        "private",
        "B",
        "330",
        "330",
        (("manual", 250), ("white_collar", 700), ("student", 50)),
        70,
    ),
    Trade(
        "federal",
        "001",
        "public",
        "N",
        "999",
        "999",
        (("statutory", 520), ("contractual", 400), ("dismissed", 80)),
        20,
    ),
    Trade(
        "agency",
        "097",
        "private",
        "N",
        "322",
        "322",
        (("agency", 850), ("student", 100), ("white_collar", 50)),
        10,
    ),
    Trade(
        "insurer",
        "027",
        "private",
        "N",
        "306",
        "306",
        (("victim", 1000),),
        5,
    ),
    Trade(
        "shops",
        "000",
        "private",
        "C",
        "201",
        "201",
        (("manual", 180), ("white_collar", 480), ("student", 220), ("flexi", 120)),
        110,
    ),
    Trade(
        "metal",
        "000",
        "private",
        "C",
        "111",
        "209",
        (("manual", 640), ("white_collar", 310), ("student", 30), ("apprentice", 20)),
        30,
    ),
    Trade(
        "food",
        "058",
        "private",
        "C",
        "118.03",
        "220",
        (("manual", 560), ("white_collar", 200), ("student", 110), ("flexi", 110), ("apprentice", 20)),
        30,
    ),
    Trade(
        "electrical",
        "067",
        "private",
        "C",
        "149.01",
        "200",
        (("manual", 700), ("white_collar", 220), ("student", 30), ("apprentice", 50)),
        40,
    ),
    Trade(
        "finishing",
        "044",
        "private",
        "C",
        "124",
        "200",
        (("manual", 830), ("white_collar", 110), ("student", 20), ("apprentice", 40)),
        50,
    ),
    Trade(
        "roofing",
        "054",
        "private",
        "C",
        "124",
        "200",
        (("manual", 830), ("white_collar", 110), ("student", 20), ("apprentice", 40)),
        30,
    ),
    Trade(
        "municipality",
        "750",
        "public",
        "N",
        "999",
        "999",
        (("manual", 380), ("contractual", 560), ("student", 60)),
        20,
    ),
)
TRADE_BY_NAME: Final = {trade.name: trade for trade in TRADES}
