"""A little certification authority of the tests' own, and signatures as senders make them, at a time that is told."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import cms
from asn1crypto import core as asn1core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 22, 12)
"""The moment at which the tests receive; UTC without zone."""

SIGNED = NOW - timedelta(days=1)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_HASHES: dict[str, Any] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True)
class Holder:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def message(
        self,
        data: bytes,
        *,
        with_: Iterable[Holder] = (),
        digest: str = "sha256",
        at: datetime | None = SIGNED,
        detached: bool = True,
        pss: bool = False,
        by_key: bool = False,
    ) -> cms.ContentInfo:
        """A CMS over some bytes, with attributes where a time is told."""
        certificates = [asn1.Certificate.load(one.certificate.public_bytes(Encoding.DER)) for one in (self, *with_)]
        own = certificates[0]
        named = {"issuer": own.issuer, "serial_number": own.serial_number}
        signer: dict[str, Any] = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"subject_key_identifier": own.key_identifier} if by_key else {"issuer_and_serial_number": named}
            ),
            "digest_algorithm": {"algorithm": digest},
        }
        content = data
        if at is not None:
            attributes = cms.CMSAttributes(
                [
                    {"type": "content_type", "values": ["data"]},
                    {
                        "type": "signing_time",
                        "values": [cms.Time({"utc_time": asn1core.UTCTime(at.replace(tzinfo=UTC))})],
                    },
                    {"type": "message_digest", "values": [hashlib.new(digest, data).digest()]},
                ]
            )
            signer["signed_attrs"] = attributes
            content = attributes.dump()
        signer["signature"], signer["signature_algorithm"] = self._signed(content, digest, pss=pss)
        held: dict[str, Any] = {"content_type": "data"} | ({} if detached else {"content": data})
        signed = {
            "version": "v1",
            "digest_algorithms": [{"algorithm": digest}],
            "encap_content_info": held,
            "certificates": certificates,
            "signer_infos": [signer],
        }
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})

    def sign(self, data: bytes, **how: Any) -> bytes:
        """What an FS holds: detached, base64 in lines."""
        return base64.encodebytes(self.message(data, **how).dump())

    def _signed(self, content: bytes, digest: str, *, pss: bool) -> tuple[bytes, dict[str, Any]]:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(content, ec.ECDSA(_HASHES[digest])), {"algorithm": f"{digest}_ecdsa"}
        if not pss:
            return self.key.sign(content, padding.PKCS1v15(), _HASHES[digest]), {"algorithm": f"{digest}_rsa"}
        how = padding.PSS(padding.MGF1(_HASHES[digest]), padding.PSS.DIGEST_LENGTH)
        mask = {"algorithm": "mgf1", "parameters": {"algorithm": digest}}
        parameters = {"hash_algorithm": {"algorithm": digest}, "mask_gen_algorithm": mask, "salt_length": 32}
        return self.key.sign(content, how, _HASHES[digest]), {"algorithm": "rsassa_pss", "parameters": parameters}


def holder(
    name: str,
    issuer: Holder | None = None,
    *,
    authority: bool = False,
    signs: bool = True,
    begin: datetime = NOW - timedelta(days=1000),
    end: datetime = NOW + timedelta(days=1000),
    key: Key | None = None,
) -> Holder:
    """A new certificate: of an authority, or of a sender; its own issuer where none is named."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        issuer_name=issuer.certificate.subject if issuer else named,
        subject_name=named,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=end,
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    usage = x509.KeyUsage(signs, False, not signs, False, False, authority, authority, False, False)
    builder = builder.add_extension(usage, critical=True)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def trust_folder(folder: Path, authorities: Iterable[Holder], senders: Iterable[tuple[str, Holder]]) -> Path:
    """A folder of trusted certificates, with who signs with which."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(authorities):
        (folder / f"{number}.pem").write_bytes(one.pem)
    rows = "".join(f"{sender},{one.fingerprint}\n" for sender, one in senders)
    (folder / "senders.csv").write_text(f"sender,certificate\n{rows}", encoding="utf-8")
    return folder
