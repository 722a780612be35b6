"""Every way in which a good filing goes wrong here: importing this module fills the registry."""

from __future__ import annotations

from dmfa.synth import faulty_declarations, faulty_files
from dmfa.synth.fault_registry import FAULTS, Fault, apply

__all__ = ["FAULTS", "Fault", "apply", "faulty_declarations", "faulty_files"]
