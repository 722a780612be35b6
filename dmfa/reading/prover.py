"""The filings of a batch that can be proved valid without a parser, found together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dmfa.reading.demands import Demands, demands_of
from dmfa.reading.markup import Markup, has_tags, is_text, read_markup
from dmfa.reading.parsing import is_plain
from dmfa.reading.plan import Plan
from dmfa.reading.proof import prove
from dmfa.reading.texts import Odd, plain_lines
from dmfa.reading.validator import Judged, presume
from dmfa.reading.vocabulary import Vocabulary, vocabulary
from dmfa.schema import Release


@dataclass
class Finding:
    """What is known of a filing before libxml2 is asked.

    Attributes:
        presumed: its release and outline by the first quarter in it; None where only a parser can tell.
        proved: whether it is proved valid under that release, and all its declarations are of that quarter.
        markup: the markup that it was read in, from which it can be shredded once it is known to be valid.
        place: its number there.
    """

    presumed: Judged | None = None
    proved: bool = False
    markup: Markup | None = None
    place: int = 0


def find_proved(filings: Sequence[bytes | None], plan: Plan, folder: Path | None = None) -> list[Finding]:
    """Prove what can be proved of some filings.

    The proof is under one release, that of most of them: those of another, and other messages than that of the plan,
    are left to libxml2.

    Args:
        filings: their bytes; None for one that is not to be looked at.
        plan: the plan whose vocabulary tells the labels.
        folder: a folder with further releases.

    Returns:
        A finding for each filing.
    """
    findings = [Finding(None if data is None else presume(data, folder)) for data in filings]
    own = plan.message.name
    releases = Counter(one.presumed.release for one in findings if one.presumed and one.presumed.kind == own)
    release = releases.most_common(1)[0][0] if releases else None
    words = vocabulary(plan)
    demands = demands_of(plan, release) if release is not None else None
    if words is None or demands is None:
        return findings
    chosen = [
        (plain_lines(data), one)
        for data, one in zip(filings, findings, strict=True)
        if data is not None and (is_plain(data) if one.presumed is None else one.presumed.kind == own) and is_text(data)
    ]
    _Prover(words, demands, release).prove(chosen)
    return findings


@dataclass(frozen=True)
class _Prover:
    words: Vocabulary
    demands: Demands
    release: Release | None

    def prove(self, chosen: Sequence[tuple[bytes, Finding]]) -> None:
        """Read the markup of some filings and prove them; those whose marks are no tags are left out."""
        if not chosen:
            return
        try:
            markup = read_markup([data for data, _ in chosen], self.words)
        except Odd:
            tagged = [pair for pair in chosen if has_tags(pair[0])]
            if len(tagged) < len(chosen):
                self.prove(tagged)
            return
        quarters = np.array([self._quarter(finding) for _, finding in chosen], np.int64)
        proved = prove(markup, self.words, self.demands, quarters)
        for place, (_, finding) in enumerate(chosen):
            finding.proved = bool(proved[place])
            if not markup.unread[place]:
                finding.markup, finding.place = markup, place

    def _quarter(self, finding: Finding) -> int:
        """The quarter under whose release a filing is to be proved; 0 if that is another release, or it has none."""
        presumed = finding.presumed
        if presumed is None or presumed.release != self.release or presumed.outline is None:
            return 0
        (quarter,) = presumed.outline.quarters
        return 0 if quarter is None else quarter.code
