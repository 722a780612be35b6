"""The keys of filings and declarations, derived from content alone: no order, path or clock enters them."""

from __future__ import annotations

import hashlib


def filing_id(sha256: str) -> int:
    """Key of a filing: the first 63 bits of its SHA-256.

    Args:
        sha256: hexadecimal SHA-256 of the filing.

    Examples:
        >>> filing_id("f" * 64) == 2**63 - 1
        True
    """
    return int(sha256[:16], 16) >> 1


def declaration_id(sha256: str, form_index: int) -> int:
    """Key of a declaration: the first 63 bits of SHA-256 over the filing's SHA-256 and the Form's index.

    Args:
        sha256: hexadecimal SHA-256 of the filing.
        form_index: number of the Form in the filing, from 0.
    """
    digest = hashlib.sha256(bytes.fromhex(sha256) + form_index.to_bytes(4, "big")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
