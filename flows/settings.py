"""What a run is told: options of the command line, environment, defaults, in this order."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo

from dmfa.address import Place, place
from dmfa.errors import WrongUsage

Checks = Literal["all", "validator"]
Trust = Literal["A", "B"]
Prescription = Literal["warn", "refuse"]
Reading = Literal["", "published", "reformed"]
Runner = Literal["local", "dask"]
Protocol = Literal["free", "strict"]
Environment = Literal["R", "T", "S"]
Signature = Literal["off", "warn", "require"]
SystemCorrections = Literal["off", "propose", "apply"]


class LawOptions(TypedDict):
    """What a computation may be told, as `contributions.compute` takes it."""

    trust: Trust
    structural_2025_2: Reading


@dataclass(frozen=True)
class Settings:
    """Settings of one run; they travel to worker processes as they are.

    Attributes:
        lake: where the lake is (`--lake`, DMFA_LAKE).
        out: folder for what is given out (`--out`, DMFA_OUT).
        inbox: folder of filings that `dmfa run` takes in (`--inbox`, DMFA_INBOX).
        xsd: folder whose releases come first (`--xsd`, DMFA_XSD).
        proof: whether a filing that can be proved valid from its tags is spared libxml2 (DMFA_PROOF: 1 or 0).
        authorisations: file of authorisations (`--authorisations`, DMFA_AUTHORISATIONS).
        xml_bytes: bytes of attestations in a file of XML given out, at most (DMFA_XML_MB: millions; 500).
        signing_key: file of the key that signs what is given out (DMFA_SIGNING_KEY); without it nothing is signed.
        signing_certificate: file of its certificate (DMFA_SIGNING_CERTIFICATE).
        pseudonym_keys: file of the keys of projects (DMFA_PSEUDONYM_KEYS); without it nothing is given under codes.
        delivery_days: calendar days in which what is accepted should be given out (DMFA_DELIVERY_DAYS).
        lenient_identifiers: check-digit anomalies are warnings (`--lenient-identifiers`), for test data.
        checks: all checks, or the NSSO validator's four and the check digits (DMFA_CHECKS).
        trust: the least trust in a figure of law that computes (DMFA_TRUST).
        structural_2025_2: which of two conflicting sources is followed for the structural reduction of 2025/2
            (DMFA_STRUCTURAL_2025_2: published or reformed); without a choice it is not computable.
        p_threshold: percent of its contributions beyond which P anomalies refuse a declaration (DMFA_P_THRESHOLD); they
            refuse none unless told.
        received_on: day of receipt of what is not on the ledger yet; today in Brussels unless told (DMFA_RECEIVED_ON).
        received_on_given: whether it was told; else the moment at which a filing was first kept counts.
        prescription: whether a quarter past limitation warns or refuses (DMFA_PRESCRIPTION).
        limitation_years: years of limitation (DMFA_LIMITATION_YEARS): 3, or 7 where fraud is dealt with.
        protocol: whether a declaration with a name of the exchange may come without its go file (DMFA_PROTOCOL).
        environment: what is taken in: production, tests or simulations (DMFA_ENVIRONMENT).
        signature: what becomes of a declaration without a signature that holds (DMFA_SIGNATURE).
        certificates: folder of the certificates that signatures have to lead to (DMFA_CERTIFICATES).
        pid: whether an accepted declaration is answered with its identifiers (PID) too (DMFA_PID: 1 or 0).
        system_corrections: whether a run of a quarter proposes to correct the amounts that differ from those computed,
            or applies what is reliable (DMFA_SYSTEM_CORRECTIONS: off, propose or apply).
        runner: who does the work (`--runner`, DMFA_RUNNER): processes of this machine, or a Dask cluster.
        scheduler: address of the cluster's scheduler (`--scheduler`, DMFA_SCHEDULER).
        cluster_wait: seconds to wait for a scheduler, and for a worker when there is none (DMFA_CLUSTER_WAIT).
        workers: worker processes (DMFA_WORKERS); as many as cores unless told.
        lake_wait: seconds to wait for another writer (DMFA_LAKE_WAIT).
        keep_states: days for which older states of the lake can be asked for (DMFA_KEEP_STATES); for ever unless told.
        keep_received: days for which the bytes of a filing are kept (DMFA_KEEP_RECEIVED); for ever unless told.
    """

    lake: str = "lake"
    out: Place = Path("out")
    inbox: Place = Path("inbox")
    xsd: Path | None = None
    proof: bool = True
    authorisations: Path | None = None
    xml_bytes: int = 500_000_000
    signing_key: Path | None = None
    signing_certificate: Path | None = None
    pseudonym_keys: Path | None = None
    delivery_days: int = 4
    lenient_identifiers: bool = False
    checks: Checks = "all"
    trust: Trust = "B"
    structural_2025_2: Reading = ""
    p_threshold: int | None = None
    received_on: date = date.min
    received_on_given: bool = False
    prescription: Prescription = "warn"
    limitation_years: int = 3
    protocol: Protocol = "free"
    environment: Environment = "R"
    signature: Signature = "off"
    certificates: Path | None = None
    pid: bool = False
    system_corrections: SystemCorrections = "off"
    runner: Runner = "local"
    scheduler: str = ""
    cluster_wait: float = 60.0
    workers: int = 1
    lake_wait: float = 30.0
    keep_states: int | None = None
    keep_received: int | None = None

    @property
    def law(self) -> LawOptions:
        """Which law computes."""
        return {"trust": self.trust, "structural_2025_2": self.structural_2025_2}

    @property
    def strict(self) -> bool:
        """Whether a declaration waits for its go file: where signatures are required, they too come before it."""
        return self.protocol == "strict" or self.signature == "require"

    @property
    def received(self) -> str:
        """Where the bytes of every filing are kept, as people are told of it."""
        from dmfa.lake.location import Location  # `dmfa --help` needs no lake

        location = Location.of(self.lake)
        return f"{self.lake}/received" if location.database is None else str(location.received)

    @classmethod
    def gather(cls, environment: Mapping[str, str] = os.environ, **options: object) -> Settings:
        """Settings from given options, else the environment, else the defaults.

        Args:
            environment: the variables DMFA_*.
            options: fields of this class; None means not given.

        Raises:
            WrongUsage: a variable has a value that is not its kind.
        """
        given = {name: value for name, value in options.items() if value is not None}
        paths: dict[str, Callable[[str], Place]] = {"out": place, "inbox": place, "xsd": Path, "authorisations": Path}
        values: dict[str, object] = {}
        for name in (*sorted(paths), "lake"):
            text = given.get(name) or environment.get(f"DMFA_{name.upper()}")
            if text:
                values[name] = paths[name](str(text)) if name in paths else str(text)
        if isinstance(values.get("xsd"), Path) and not Path(str(values["xsd"])).is_dir():
            raise WrongUsage(f"--xsd {values['xsd']} is not a folder", "Name a folder that holds XSD files.")
        return cls(
            **values,  # type: ignore[arg-type]
            proof=_choice(environment, "DMFA_PROOF", ("1", "0")) == "1",
            lenient_identifiers=bool(given.get("lenient_identifiers", False)),
            checks=_choice(environment, "DMFA_CHECKS", ("all", "validator")),  # type: ignore[arg-type]
            trust=given.get("trust") or _choice(environment, "DMFA_TRUST", ("B", "A")),  # type: ignore[arg-type]
            structural_2025_2=_reading(environment),
            p_threshold=_days(environment, "DMFA_P_THRESHOLD", least=0),
            received_on=_day(environment),
            received_on_given=bool(environment.get("DMFA_RECEIVED_ON")),
            prescription=_choice(environment, "DMFA_PRESCRIPTION", ("warn", "refuse")),  # type: ignore[arg-type]
            limitation_years=int(_choice(environment, "DMFA_LIMITATION_YEARS", ("3", "7"))),
            **_exchange(environment),  # type: ignore[arg-type]
            **_given_out(environment),  # type: ignore[arg-type]
            **_runner(environment, given),  # type: ignore[arg-type]
            workers=_count(environment, "DMFA_WORKERS", len(os.sched_getaffinity(0))),
            lake_wait=float(_count(environment, "DMFA_LAKE_WAIT", 30, least=0)),
            keep_states=_days(environment, "DMFA_KEEP_STATES"),
            keep_received=_days(environment, "DMFA_KEEP_RECEIVED"),
        )


def _exchange(environment: Mapping[str, str]) -> dict[str, object]:
    """How filings are received."""
    signature = _choice(environment, "DMFA_SIGNATURE", ("off", "warn", "require"))
    certificates = environment.get("DMFA_CERTIFICATES")
    if signature != "off" and not certificates:
        raise WrongUsage(
            f"DMFA_SIGNATURE={signature}, and no certificate is trusted",
            "Name the folder of the trusted ones: DMFA_CERTIFICATES=FOLDER.",
        )
    return {
        "protocol": _choice(environment, "DMFA_PROTOCOL", ("free", "strict")),
        "environment": _choice(environment, "DMFA_ENVIRONMENT", ("R", "T", "S")),
        "signature": signature,
        "certificates": Path(certificates) if certificates else None,
        "pid": _choice(environment, "DMFA_PID", ("0", "1")) == "1",
        "system_corrections": _choice(environment, "DMFA_SYSTEM_CORRECTIONS", ("off", "propose", "apply")),
    }


def _given_out(environment: Mapping[str, str]) -> dict[str, object]:
    """How files are given out."""
    key, certificate = (environment.get(f"DMFA_SIGNING_{name}") for name in ("KEY", "CERTIFICATE"))
    if bool(key) != bool(certificate):
        raise WrongUsage(
            "of DMFA_SIGNING_KEY and DMFA_SIGNING_CERTIFICATE only one is named.",
            "Name the files of both, or of neither: then nothing is signed.",
        )
    return {
        "xml_bytes": _count(environment, "DMFA_XML_MB", 500) * 1_000_000,
        "signing_key": Path(key) if key else None,
        "signing_certificate": Path(certificate) if certificate else None,
        "pseudonym_keys": Path(keys) if (keys := environment.get("DMFA_PSEUDONYM_KEYS")) else None,
        "delivery_days": _count(environment, "DMFA_DELIVERY_DAYS", 4, least=0),
    }


def _runner(environment: Mapping[str, str], given: Mapping[str, object]) -> dict[str, object]:
    """Who does the work."""
    runner = given.get("runner") or _choice(environment, "DMFA_RUNNER", ("local", "dask"))
    scheduler = given.get("scheduler") or environment.get("DMFA_SCHEDULER") or ""
    if runner == "dask" and not scheduler:
        raise WrongUsage(
            "a Dask cluster is to do the work, and none is named.", "Name it: --scheduler tcp://HOST:PORT."
        )
    return {
        "runner": runner,
        "scheduler": scheduler,
        "cluster_wait": float(_count(environment, "DMFA_CLUSTER_WAIT", 60)),
    }


def _choice(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = environment.get(name) or allowed[0]
    if value not in allowed:
        raise WrongUsage(f"{name}={value} is not one of {', '.join(allowed)}")
    return value


def _reading(environment: Mapping[str, str]) -> Reading:
    chosen = _choice(environment, "DMFA_STRUCTURAL_2025_2", ("off", "published", "reformed"))
    return "" if chosen == "off" else chosen  # type: ignore[return-value]


def _day(environment: Mapping[str, str]) -> date:
    text = environment.get("DMFA_RECEIVED_ON")
    if not text:
        return datetime.now(UTC).astimezone(ZoneInfo("Europe/Brussels")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"DMFA_RECEIVED_ON={text} is not a day", "Write it as 2026-10-31.") from None


def _days(environment: Mapping[str, str], name: str, least: int = 1) -> int | None:
    return _count(environment, name, 0, least) if environment.get(name) else None


def _count(environment: Mapping[str, str], name: str, otherwise: int, least: int = 1) -> int:
    text = environment.get(name)
    if not text:
        return otherwise
    if not text.isdecimal() or int(text) < least:
        raise WrongUsage(f"{name}={text} is not a whole number of {least} or more")
    return int(text)
