"""The signature of a declaration (FS): a detached PKCS#7/CMS in base64 over the bytes of the FI.

It holds if it is over these very bytes, made with a key that may sign, whose certificate leads to one that is trusted,
was valid when it signed, and is known to be the sender's. Whether a certificate was revoked is not asked: that would
take the network. Official description: portal of social security, "types of signatures allowed" (RFC 3852).
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import verification

from dmfa.errors import WrongUsage

SENDERS = "senders.csv"
"""File in the folder of trusted certificates: which certificate is whose (columns sender, certificate)."""

LONGEST = 1 << 20
"""Bytes of a signature at most."""

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_WEAK = {"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224"}
_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 256
_CERTIFICATES = (".pem", ".crt", ".cer")
_PRINT = re.compile(r"[0-9a-f]{64}")
_LATE = timedelta(days=1)
"""How far the clock of a sender may be ahead."""


class SignatureWrong(Exception):
    """Why a signature does not hold, in a few plain words that tell nothing of the declaration."""


@dataclass(frozen=True)
class Trust:
    """Which certificates are trusted, and who signs with which; it travels to worker processes as it is.

    Attributes:
        authorities: the trusted certificates, PEM.
        senders: pairs of a sender's number and the SHA-256 of a certificate that it signs with, hexadecimal.
    """

    authorities: tuple[bytes, ...]
    senders: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, folder: Path) -> Trust:
        """Read a folder of trusted certificates, `*.pem`, `*.crt` or `*.cer`, and its senders.csv.

        Raises:
            WrongUsage: there is no such folder, no certificate or no senders.csv in it, or one cannot be read: a
                certificate that is silently left out would refuse the filings of its senders.
        """
        if not folder.is_dir():
            raise WrongUsage(
                f"DMFA_CERTIFICATES={folder} is not a folder", "Name the folder of the certificates that are trusted."
            )
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _CERTIFICATES)
        if not found:
            raise WrongUsage(
                f"no certificate is in {folder}", "Put the trusted ones there, as PEM: *.pem, *.crt, *.cer."
            )
        return cls(tuple(_pem(path) for path in found), _senders(folder / SENDERS))


def check_signature(data: bytes, signature: bytes, sender: str, received_at: datetime, trust: Trust) -> None:
    """Check the signature of a declaration.

    Args:
        data: the declaration as it was sent.
        signature: what its FS holds.
        sender: number of the sender, as in the name of the file.
        received_at: moment of receipt, UTC without zone; counts where the signature tells no time of its own.
        trust: whom to trust.

    Raises:
        SignatureWrong: it does not hold.
    """
    try:
        _check(data, signature, sender, received_at.replace(tzinfo=UTC), trust)
    except SignatureWrong:
        raise
    except Exception:
        # Bytes made to mislead set off nearly anything in whoever takes them apart; none of it may stop a run.
        raise SignatureWrong("it is not a detached PKCS#7/CMS signature that can be read") from None


def _check(data: bytes, signature: bytes, sender: str, received_at: datetime, trust: Trust) -> None:
    signed = _signed_data(signature)
    signer, certificate, others = _signer(signed)
    hashing = _hash_of(signer["digest_algorithm"]["algorithm"].native)
    _verify(certificate, signer, _what_is_signed(data, signed, signer), hashing)
    signed_at = _signed_at(signer) or received_at
    if signed_at > received_at + _LATE:
        raise SignatureWrong("it tells a time later than that of receipt")
    _may_sign(certificate)
    _leads_to_trust(certificate, others, signed_at, trust)
    if (sender, certificate.fingerprint(hashes.SHA256()).hex()) not in trust.senders:
        raise SignatureWrong("its certificate is not one of this sender")


def _signed_data(signature: bytes) -> Any:
    """The CMS in a file: base64 in one line or several, however they end."""
    if len(signature) > LONGEST:
        raise SignatureWrong("it is too long for a signature")
    try:
        der = base64.b64decode(b"".join(signature.split()), validate=True)
    except binascii.Error:
        raise SignatureWrong("it is not base64") from None
    message = cms.ContentInfo.load(der, strict=True)
    if message["content_type"].native != "signed_data":
        raise SignatureWrong("it is not a signature, but another kind of PKCS#7/CMS")
    if message["content"]["encap_content_info"]["content"].native is not None:
        raise SignatureWrong("it holds the declaration itself; a detached signature is expected")
    return message["content"]


def _signer(signed: Any) -> tuple[Any, x509.Certificate, list[x509.Certificate]]:
    """The one who signed, the certificate, and the other certificates that came along."""
    if len(signed["signer_infos"]) != 1:
        raise SignatureWrong("it is not the signature of one signer")
    signer = signed["signer_infos"][0]
    own, others = None, []
    for choice in signed["certificates"]:
        if choice.name != "certificate":
            continue
        found = choice.chosen
        if own is None and _is_of(signer["sid"], found):
            own = found
        else:
            others.append(found)
    if own is None:
        raise SignatureWrong("the certificate of its signer does not come with it")
    return signer, _loaded(own), [_loaded(one) for one in others]


def _loaded(certificate: Any) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.dump())


def _is_of(identifier: Any, certificate: Any) -> bool:
    """Whether a signer's identifier names a certificate."""
    if identifier.name == "subject_key_identifier":
        return bool(certificate.key_identifier == identifier.native)
    named = identifier.chosen
    return bool(
        certificate.serial_number == named["serial_number"].native
        and certificate.issuer.dump() == named["issuer"].dump()
    )


def _hash_of(name: str) -> hashes.HashAlgorithm:
    if name not in _HASHES:
        raise SignatureWrong(f"it is made with {_WEAK.get(name, 'an unknown digest')}; SHA-256 or longer is asked for")
    return _HASHES[name]()


def _what_is_signed(data: bytes, signed: Any, signer: Any) -> bytes:
    """The bytes that the signature itself is over: attributes with the digest of the data, or the data."""
    digest = signer["digest_algorithm"]["algorithm"].native
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    if not attributes:
        return data
    if attributes["message_digest"][0].native != hashlib.new(digest, data).digest():
        raise SignatureWrong("it is not over this file: one of the two was altered")
    if attributes["content_type"][0].native != signed["encap_content_info"]["content_type"].native:
        raise SignatureWrong("it contradicts itself on what is signed")
    # RFC 5652, 5.4: signed is the set itself, not its place in the message.
    signed_attributes: bytes = signer["signed_attrs"].dump()
    return b"\x31" + signed_attributes[1:]


def _signed_at(signer: Any) -> datetime | None:
    """The time at which a signer says to have signed."""
    for one in signer["signed_attrs"]:
        if one["type"].native == "signing_time":
            moment: datetime = one["values"][0].native
            return moment
    return None


def _verify(certificate: x509.Certificate, signer: Any, content: bytes, hashing: hashes.HashAlgorithm) -> None:
    key = certificate.public_key()
    signature, algorithm = signer["signature"].native, signer["signature_algorithm"]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < _LEAST_RSA_BITS:
                raise SignatureWrong(f"its key has {key.key_size} bits; {_LEAST_RSA_BITS} or more are asked for")
            if algorithm.signature_algo == "rsassa_pss":
                mask = padding.MGF1(_hash_of(algorithm["parameters"]["hash_algorithm"]["algorithm"].native))
                key.verify(signature, content, padding.PSS(mask, padding.PSS.AUTO), hashing)
            else:
                key.verify(signature, content, padding.PKCS1v15(), hashing)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if key.key_size < _LEAST_EC_BITS:
                raise SignatureWrong(f"its key has {key.key_size} bits; {_LEAST_EC_BITS} or more are asked for")
            key.verify(signature, content, ec.ECDSA(hashing))
        else:
            raise SignatureWrong("its key is neither RSA nor of an elliptic curve")
    except (InvalidSignature, UnsupportedAlgorithm):
        raise SignatureWrong("it is not over this file: one of the two was altered") from None


def _may_sign(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise SignatureWrong("its certificate is not one that may sign")


def _leads_to_trust(
    certificate: x509.Certificate, others: list[x509.Certificate], signed_at: datetime, trust: Trust
) -> None:
    """Check that a chain of certificates, all valid at that time, ends at a trusted one."""
    if not certificate.not_valid_before_utc <= signed_at <= certificate.not_valid_after_utc:
        raise SignatureWrong("its certificate was not valid when it was made")
    # Certificates of persons and companies have no host names and many uses: `_may_sign` looks at them; of those who
    # sign certificates only what makes them such is asked for.
    of_authorities = verification.ExtensionPolicy.permit_all()
    of_authorities = of_authorities.require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_authority
    ).may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _signs_certificates)
    policy = (
        verification.PolicyBuilder()
        .store(_store(trust.authorities))
        .time(signed_at)
        .extension_policies(ca_policy=of_authorities, ee_policy=verification.ExtensionPolicy.permit_all())
    )
    try:
        policy.build_client_verifier().verify(certificate, others)
    except verification.VerificationError:
        raise SignatureWrong("its certificate does not lead to a trusted one that was valid then") from None


def _is_authority(_: verification.Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("no authority")


def _signs_certificates(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("signs no certificates")


@lru_cache(maxsize=4)
def _store(authorities: tuple[bytes, ...]) -> verification.Store:
    return verification.Store([x509.load_pem_x509_certificate(pem) for pem in authorities])


def _pem(path: Path) -> bytes:
    try:
        (certificate,) = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise WrongUsage(
            f"the trusted certificate {path} cannot be read", "One certificate a file, as PEM; remove it if it is none."
        ) from None
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _senders(path: Path) -> frozenset[tuple[str, str]]:
    """Who signs with which certificate."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise WrongUsage(
            f"{path} cannot be read", "It says who signs with which certificate: sender,certificate (its SHA-256)."
        ) from None
    pairs = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        sender = (row.get("sender") or "").strip()
        fingerprint = (row.get("certificate") or "").replace(":", "").strip().lower()
        if not re.fullmatch("[0-9]{6}", sender) or not _PRINT.fullmatch(fingerprint):
            raise WrongUsage(
                f"{path}, line {number}: no sender of six digits with the SHA-256 of a certificate",
                "The columns are sender and certificate: 700001,<64 hexadecimal digits, colons between them or not>.",
            )
        pairs.append((sender, fingerprint))
    return frozenset(pairs)
