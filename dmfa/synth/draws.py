"""Seeded draws: the same whole numbers always give the same stream, on any machine and in any order of calls."""

from __future__ import annotations

from random import Random
from typing import Final

_MASK: Final = (1 << 64) - 1


def mix(*parts: int) -> int:
    """One well-spread 64-bit number from several whole numbers; their order matters.

    Examples:
        >>> mix(1, 2) == mix(1, 2), mix(1, 2) == mix(2, 1)
        (True, False)
    """
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ (part & _MASK)) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
        state = (state * 0x94D049BB133111EB) & _MASK
        state ^= state >> 32
    return state


def stream(*parts: int) -> Random:
    """A random stream of its own for these numbers; callers use `random()` only, whose values Python guarantees."""
    return Random(mix(*parts))  # noqa: S311 - repeatable on purpose, and nothing secret hangs on it


def below(rng: Random, limit: int) -> int:
    """A whole number from 0 up to, not including, `limit`."""
    return int(rng.random() * limit)


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: Random, per_thousand: int) -> bool:
    """True this many times in a thousand."""
    return rng.random() * 1000 < per_thousand
