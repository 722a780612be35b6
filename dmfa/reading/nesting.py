"""Which blocks of some documents are inside which, and which documents are properly nested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dmfa.reading.markup import CLOSED, Markup
from dmfa.reading.tags import IGNORED
from dmfa.reading.words import Numbers

_DEEPEST = 64


@dataclass(frozen=True)
class Nesting:
    """Pairs of events, each the start and the end of a block, of the documents that are not in doubt.

    Attributes:
        opened: the starts, in document order.
        closed: the end of each.
        parent: the start of the block around each; -1 around the root.
    """

    opened: Numbers
    closed: Numbers
    parent: Numbers


def nest(markup: Markup, many: int) -> Nesting:
    """Pair the starts and ends of blocks; documents where that is not possible are noted as in doubt.

    Args:
        markup: the documents.
        many: number of labels that are blocks.
    """
    events = np.flatnonzero((markup.code < many) & (markup.code != IGNORED))
    opening = markup.code[events] >= 0
    document = markup.document(markup.start[events] - 1)
    level = np.cumsum(np.where(opening, 1, -1))
    begins = np.searchsorted(document, np.arange(len(markup.offsets) + 1))
    first, last = begins[:-1], begins[1:] - 1
    holds = last >= first
    markup.doubt[~holds] = True
    before = np.where(holds, np.append(0, level)[first], 0)
    level -= before[document]
    final = level[np.maximum(last, 0)]
    markup.doubt[holds & (final != 0)] = True
    markup.doubt[document[(level < 0) | (level > _DEEPEST)]] = True
    sure = np.flatnonzero(~markup.doubt[document])
    events, opening, depth = events[sure], opening[sure], level[sure]
    depth = depth + ~opening
    order = np.argsort(depth.astype(np.int16), kind="stable")
    # On each level starts and ends take turns in a document whose levels add up.
    starts, ends = events[order[::2]], events[order[1::2]]
    crossed = markup.code[ends] != CLOSED - markup.code[starts]
    markup.doubt[markup.document(markup.start[ends[crossed]] - 1)] = True
    parent = _parents(starts, depth[order[::2]])
    place = np.argsort(starts, kind="stable")
    return Nesting(starts[place], ends[place], parent[place])


def _parents(starts: Numbers, depth: Numbers) -> Numbers:
    """For each start, in the order of levels, the last one before it on the level above; -1 on the first level."""
    parent = np.full(len(starts), -1)
    borders = np.searchsorted(depth, np.arange(1, (int(depth[-1]) if len(depth) else 0) + 2))
    for above, own, end in zip(borders, borders[1:], borders[2:], strict=False):
        level = starts[above:own]
        parent[own:end] = level[np.searchsorted(level, starts[own:end]) - 1]
    return parent
