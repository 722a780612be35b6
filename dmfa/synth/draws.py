"""Seeded draws: the same whole numbers always give the same stream, on any machine and in any order of calls."""

from __future__ import annotations

from _random import Random
from typing import Final, Protocol

_MASK: Final = (1 << 64) - 1


class Stream(Protocol):
    """A random stream."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""


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


def stream(*parts: int) -> Stream:
    """A random stream of its own for these numbers.

    Its `random()` gives what `random.Random` gives, whose values Python guarantees; without that class around it a
    stream costs half as much, and a person needs four.
    """
    return Random(mix(*parts))


class Few:
    """A stream for a handful of draws: it costs nothing to begin, each draw a little more.

    Args:
        seed: 64 bits, such as `mix` gives.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)


def few(*parts: int) -> Stream:
    """A stream for a handful of draws from these numbers."""
    return Few(mix(*parts))


def below(rng: Stream, limit: int) -> int:
    """A whole number from 0 up to, not including, `limit`."""
    return int(rng.random() * limit)


def between(rng: Stream, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: Stream, per_thousand: int) -> bool:
    """True this many times in a thousand."""
    return rng.random() * 1000 < per_thousand
