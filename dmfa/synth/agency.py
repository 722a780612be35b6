"""Users of agency workers: the firm or the household in which the work is done."""

from __future__ import annotations

from datetime import date
from typing import Final

from dmfa.synth.declaration import User
from dmfa.synth.draws import mix
from dmfa.synth.employer import MOST_EMPLOYERS, enterprise_nbr
from dmfa.synth.people import insz

_SALT_USER: Final = 51
# Names and streets are made up; postal codes and towns exist.
_FIRMS: Final = (
    "Ateliers de l'Étang",
    "Brouwerij De Drie Linden",
    "Noord & Zonen",
    "Garage du Pont",
    "Kwekerij Het Veld",
)
_FAMILIES: Final = ("family at the mill", "family at the lock")
_STREETS: Final = ("Rue du Moulin", "Kerkstraat", "Molenweg", "Place de l'Église", "Hauptstraße")
_TOWNS: Final = (("1000", "Bruxelles"), ("2800", "Mechelen"), ("4000", "Liège"), ("4700", "Eupen"), ("9000", "Gent"))


def user(identity: int, turn: int = 0) -> User:
    """The user of an agency worker.

    Args:
        identity: the worker's own number.
        turn: 0 for the first user, 1 for the next.
    """
    draw = mix(_SALT_USER, identity, turn)
    zip_code, city = _TOWNS[draw % len(_TOWNS)]
    household = draw // 7 % 6 == 0
    place = draw // 11 % MOST_EMPLOYERS
    born = date.fromordinal(date(1950, 1, 1).toordinal() + draw // 13 % 18_000)
    return User(
        name=(_FAMILIES if household else _FIRMS)[draw // 17 % (len(_FAMILIES) if household else len(_FIRMS))],
        company_id=None if household else enterprise_nbr(17_000_000 + place),
        insz=insz(born, 1 + draw // 19 % 997) if household else None,
        daily_contracts=draw // 23 % 40 if draw // 29 % 3 == 0 else None,
        street=_STREETS[draw // 31 % len(_STREETS)],
        house=str(1 + draw // 37 % 180),
        box=f"b{1 + draw // 41 % 9}" if draw // 43 % 4 == 0 else "",
        zip_code=zip_code,
        city=city,
    )
