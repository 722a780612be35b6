"""Invented declarations with their truth: for samples, tests and measurements.

Everything follows from a seed: employers, persons, wages, contributions and reductions, faults. Amounts come from
arithmetic of this package's own on exact whole numbers, so that what `contributions` computes can be compared with
something else.
"""

from dmfa.synth.country import Truth, make_quarter
from dmfa.synth.employer import Employer, employer
from dmfa.synth.faults import FAULTS, Fault, apply
from dmfa.synth.figures import Figures
from dmfa.synth.law import Law
from dmfa.synth.part import Options
from dmfa.synth.payroll import prepare
from dmfa.synth.people import Person
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Expected, Filing
from dmfa.synth.xml import document

__all__ = [
    "FAULTS",
    "Employer",
    "Expected",
    "Fault",
    "Figures",
    "Filing",
    "Law",
    "Options",
    "Person",
    "Tally",
    "Truth",
    "apply",
    "document",
    "employer",
    "make_quarter",
    "prepare",
]
