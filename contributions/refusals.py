"""The closed lists of what is told beside a reduction: why there is no right to it, and what its amount leaves out."""

from __future__ import annotations

from typing import Final

NOT_IN_FORCE: Final = "deduction code is not valid in this quarter"
WRONG_LEVEL: Final = "deduction code is not for this level of the declaration"
OTHER_REGION: Final = "establishment lies in a region that does not know the reduction"
ABROAD: Final = "establishment lies abroad"
NOT_FOR_EMPLOYER: Final = "reduction is not for this employer"
NOT_FOR_WORKER: Final = "reduction is not for this worker code of this employer class"
NOT_FOR_CONTRACT: Final = "reduction is not for this kind of contract"
EXCLUDING_PAY: Final = "remuneration of the occupation excludes reductions"
NO_COUNTED_TIME: Final = "no working time counts for reductions"
MU_TOO_LOW: Final = "working time of the quarter is below the minimum"
AGE: Final = "age at the end of the quarter is not that of the reduction"
REFERENCE_WAGE: Final = "reference wage is not within the limit of the reduction"
OUTSIDE_PERIOD: Final = "quarter lies outside the period of the right"
QUARTERS_USED: Final = "right has no quarters left"
NO_DETAIL: Final = "detail block of the reduction is missing"
WORKING_TIME: Final = "working time was not shortened as the reduction asks"
ANOTHER_CHOSEN: Final = "another reduction of the occupation was computed, and one alone may be"
NO_PERSONAL_CONTRIBUTION: Final = "worker owes no personal contribution of 13.07 %"
DECLARED_BEFORE: Final = "the same deduction stands on the line before it"

ALL: Final = (
    NOT_IN_FORCE,
    WRONG_LEVEL,
    OTHER_REGION,
    ABROAD,
    NOT_FOR_EMPLOYER,
    NOT_FOR_WORKER,
    NOT_FOR_CONTRACT,
    EXCLUDING_PAY,
    NO_COUNTED_TIME,
    MU_TOO_LOW,
    AGE,
    REFERENCE_WAGE,
    OUTSIDE_PERIOD,
    QUARTERS_USED,
    NO_DETAIL,
    WORKING_TIME,
    ANOTHER_CHOSEN,
    NO_PERSONAL_CONTRIBUTION,
    DECLARED_BEFORE,
)
"""Why nothing is due of a reduction: a condition that the declaration itself shows not to be met."""

MARIBEL: Final = "social Maribel not deducted"

RESERVATIONS: Final = (MARIBEL,)
"""What an amount leaves out because no declaration tells it."""
