"""The signature of a file given out: a detached PKCS#7/CMS in base64 over its bytes, as senders sign declarations.

The same key gives the same bytes for the same file. It tells no time: that of sending stands in the manifest, which is
signed too. Source: RFC 5652; RFC 6979 for keys of elliptic curves.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dmfa.address import Place
from dmfa.errors import WrongUsage
from dmfa.extracts.placing import MANIFEST, SIGNATURE
from dmfa.extracts.private import must_be_private

if TYPE_CHECKING:
    from cryptography import x509

_LEAST_RSA_BITS: Final = 2048
_LEAST_EC_BITS: Final = 256


@dataclass(frozen=True)
class Signer:
    """Who signs.

    Attributes:
        certificates: its certificate and those above it, as they come along with a signature.
        key: its private key.
    """

    certificates: tuple[Any, ...]
    key: Any

    def __repr__(self) -> str:
        return "Signer()"

    @classmethod
    def read(cls, key: Path, certificate: Path, day: date) -> Signer:
        """Read a private key and its certificate.

        Args:
            key: file with the private key, PEM without password, which its owner alone may read.
            certificate: file with its certificate, PEM, and those above it if any.
            day: the day on which it signs.

        Raises:
            WrongUsage: one cannot be read, others may read the key, the two do not belong together, or the
                certificate does not sign on that day.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            must_be_private(key, "signing key")
            private = load_pem_private_key(key.read_bytes(), None)
        except FileNotFoundError:
            raise WrongUsage(f"there is no signing key {key}.", "DMFA_SIGNING_KEY names the file, PEM.") from None
        except (OSError, ValueError, TypeError):
            raise WrongUsage(
                f"the signing key {key} cannot be read.",
                "A private key as PEM, without password, that this user may read.",
            ) from None
        try:
            chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        except (OSError, ValueError):
            raise WrongUsage(
                f"the certificate {certificate} cannot be read.", "DMFA_SIGNING_CERTIFICATE names the file, PEM."
            ) from None
        _must_fit(private, chain[0], day, key, certificate)
        return cls(tuple(chain), private)

    def sign(self, digest: bytes) -> bytes:
        """A detached signature over the bytes of a digest.

        Args:
            digest: SHA-256 of the bytes.

        Returns:
            The CMS in base64, in lines.
        """
        from asn1crypto import cms
        from asn1crypto import x509 as asn1
        from cryptography.hazmat.primitives.serialization import Encoding

        certificates = [asn1.Certificate.load(one.public_bytes(Encoding.DER)) for one in self.certificates]
        attributes = cms.CMSAttributes(
            [{"type": "content_type", "values": ["data"]}, {"type": "message_digest", "values": [digest]}]
        )
        algorithm, signature = self._signed(attributes.dump())
        own = {"issuer": certificates[0].issuer, "serial_number": certificates[0].serial_number}
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": own}),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": algorithm},
            "signature": signature,
        }
        signed = {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": certificates,
            "signer_infos": [signer],
        }
        message = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})
        return base64.encodebytes(message.dump())

    def _signed(self, content: bytes) -> tuple[str, bytes]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return "sha256_ecdsa", self.key.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        signature: bytes = self.key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return "sha256_rsa", signature


def closed(folder: Place, manifest: dict[str, Any], signer: Signer | None) -> None:
    """Write the manifest of a finished folder, and the signatures over all that is in it.

    Args:
        folder: the folder, whose files the manifest lists.
        manifest: what it says; the digests of the signatures are added.
        signer: who signs; None where nobody does.

    Raises:
        OSError: a file cannot be written.
    """

    def sign(name: str, digest: bytes, by: Signer) -> str:
        signature = by.sign(digest)
        (folder / f"{name}{SIGNATURE}").write_bytes(signature)
        return sha256(signature).hexdigest()

    if signer is not None:
        manifest["signatures"] = {
            f"{name}{SIGNATURE}": sign(name, bytes.fromhex(facts["sha256"]), signer)
            for name, facts in manifest["files"].items()
        }
    text = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    (folder / MANIFEST).write_bytes(text)
    if signer is not None:
        sign(MANIFEST, sha256(text).digest(), signer)


def _must_fit(private: Any, own: x509.Certificate, day: date, key: Path, certificate: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    long_enough = (isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _LEAST_RSA_BITS) or (
        isinstance(private, ec.EllipticCurvePrivateKey) and private.key_size >= _LEAST_EC_BITS
    )
    if not long_enough:
        raise WrongUsage(
            f"the signing key {key} is neither RSA nor of an elliptic curve, or too short.",
            f"RSA of {_LEAST_RSA_BITS} bits or more, or an elliptic curve of {_LEAST_EC_BITS} or more.",
        )
    if private.public_key() != own.public_key():
        raise WrongUsage(
            f"the certificate {certificate} is not that of the signing key {key}.",
            "Its own certificate stands first in the file, those above it after it.",
        )
    first, last = own.not_valid_before_utc.date(), own.not_valid_after_utc.date()
    if not first <= day <= last:
        raise WrongUsage(
            f"the certificate {certificate} is valid from {first} to {last}, not on {day}.",
            "Renew it, or name another.",
        )
