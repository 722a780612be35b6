"""Tickets: the standard library's base 32 of the same digest."""

import base64
import hashlib

import pytest

from dmfa.answers import filing_ticket, form_ticket

DIGESTS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(200)]


def letters(words: str) -> str:
    return base64.b32encode(hashlib.sha256(words.encode()).digest()).decode()[:13]


@pytest.mark.parametrize("digest", ["0" * 64, "f" * 64, *DIGESTS[:20]])
def test_a_ticket_is_the_start_of_a_digest(digest: str) -> None:
    assert filing_ticket(digest) == letters(f"ticket {digest}")
    assert form_ticket(digest, 12) == letters(f"ticket {digest} 12")


def test_no_two_have_one_ticket() -> None:
    tickets = [filing_ticket(digest) for digest in DIGESTS]
    tickets += [form_ticket(digest, index) for digest in DIGESTS for index in range(5)]
    assert len(set(tickets)) == len(tickets)
