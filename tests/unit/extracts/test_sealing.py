"""Files for their recipient's eyes, and under the supplier's signature."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date, datetime

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dmfa.errors import LakeFull, WrongUsage
from dmfa.extracts import Manner, load
from dmfa.extracts.audit import audit
from dmfa.extracts.signing import Signer
from dmfa.lake import Lake
from dmfa.reading.signatures import SignatureWrong, Trust, check_signature
from tests.authority import Holder, holder
from tests.unit.extracts.material import bytes_in, given, new_lake, permit_of, register, row

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12)
FEW = {"EmployerDeclaration": ["Quarter"], "NaturalPerson": ["INSS"]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """One lake for all; each test delivers somewhere else."""
    return new_lake(tmp_path_factory.mktemp("sealing"))


def files_of(folder, one: Holder, mode: int = 0o600):
    """The key and the certificate of a holder as files."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_bytes(one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(mode)
    certificate.write_bytes(one.pem)
    return key, certificate


def test_every_file_is_encrypted_for_its_recipient_and_a_rerun_leaves_it(lake, tmp_path):
    own, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    permit = permit_of(tmp_path, blocks=FEW, encrypt_to=str(own.to_public()))
    plain = given(lake, permit_of(tmp_path, blocks=FEW), tmp_path / "plain")
    sealed = given(lake, permit, tmp_path / "out")
    names = {path.name for path in sealed.folder.iterdir()}
    assert names == {"manifest.json", *(f"{name}.age" for name in plain.manifest["files"])}
    for name, facts in plain.manifest["files"].items():
        data = (sealed.folder / f"{name}.age").read_bytes()
        told = sealed.manifest["files"][f"{name}.age"]
        assert told["plain"]["sha256"] == facts["sha256"] or name.endswith(".xml"), "of XML the ticket differs"
        assert hashlib.sha256(pyrage.decrypt(data, [own])).hexdigest() == told["plain"]["sha256"]
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(data, [other])
    before = bytes_in(tmp_path / "out")
    assert not given(lake, permit, tmp_path / "out").changed
    assert bytes_in(tmp_path / "out") == before
    with Lake.open(lake) as opened:
        assert audit(opened, tmp_path / "out").findings == ()
    (sealed.folder / "natural_person.parquet.age").write_bytes(b"spoiled")
    told = sealed.manifest["files"]["natural_person.parquet.age"]["plain"]
    mended = given(lake, permit, tmp_path / "out")
    assert mended.manifest["files"]["natural_person.parquet.age"]["plain"] == told
    with Lake.open(lake) as opened:
        assert audit(opened, tmp_path / "out").findings == ()


def test_a_full_disk_while_encrypting_leaves_nothing(lake, tmp_path, monkeypatch):
    class Full:
        """A file on a disk without room."""

        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, _):
            raise OSError(28, "No space left on device")

        def flush(self):
            pass

    permit = permit_of(tmp_path, blocks=FEW, encrypt_to=str(pyrage.x25519.Identity.generate().to_public()))
    path = type(tmp_path)
    opening = path.open
    monkeypatch.setattr(
        path,
        "open",
        lambda self, *a, **k: Full(opening(self, *a, **k)) if self.suffix == ".age" else opening(self, *a, **k),
    )
    with pytest.raises(LakeFull, match="could not be written: no space left on device"):
        given(lake, permit, tmp_path / "out")
    left = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(left) == [".rows.lock", ".some-fund.lock"]


def test_what_is_no_public_key_is_refused_when_the_register_is_read(tmp_path):
    with pytest.raises(WrongUsage, match="encrypt_to is no public key of age"):
        load(register(tmp_path, row(encrypt_to="age1nothing")))


@pytest.mark.parametrize("kind", ["curve", "rsa"])
def test_a_signature_holds_over_its_bytes_alone_as_senders_signatures_do(tmp_path, kind):
    authority = holder("Invented authority", authority=True)
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "curve" else rsa.generate_private_key(65537, 2048)
    one = holder("Invented supplier", authority, key=key)
    signer = Signer.read(*files_of(tmp_path, one), DAY)
    signature = signer.sign(hashlib.sha256(b"a file").digest())
    assert signature == signer.sign(hashlib.sha256(b"a file").digest())
    trust = Trust((authority.pem,), frozenset({("700001", one.fingerprint)}))
    check_signature(b"a file", signature, "700001", NOON, trust)
    with pytest.raises(SignatureWrong, match="one of the two was altered"):
        check_signature(b"another", signature, "700001", NOON, trust)


def test_every_file_and_the_manifest_are_signed(lake, tmp_path):
    authority = holder("Invented authority", authority=True)
    one = holder("Invented supplier", authority)
    manner = Manner(signer=Signer.read(*files_of(tmp_path, one), DAY))
    done = given(lake, permit_of(tmp_path, blocks=FEW), tmp_path / "out", manner=manner)
    names = {path.name for path in done.folder.iterdir() if path.suffix != ".p7s"}
    assert names == {"manifest.json", *done.manifest["files"]}
    for name in names:
        signature = (done.folder / f"{name}.p7s").read_bytes()
        trust = Trust((authority.pem,), frozenset({("700001", one.fingerprint)}))
        check_signature((done.folder / name).read_bytes(), signature, "700001", NOON, trust)
    before = bytes_in(tmp_path / "out")
    assert not given(lake, permit_of(tmp_path, blocks=FEW), tmp_path / "out", manner=manner).changed
    shutil.rmtree(done.folder)
    given(lake, permit_of(tmp_path, blocks=FEW), tmp_path / "out", manner=manner)
    assert bytes_in(tmp_path / "out") == before, "the same key gives the same bytes"
    (done.folder / "natural_person.parquet.p7s").write_bytes(b"spoiled")
    assert given(lake, permit_of(tmp_path, blocks=FEW), tmp_path / "out", manner=manner).changed
    assert json.loads(before[f"extracts/{done.place}/manifest.json"])["signatures"].keys() == {
        f"{name}.p7s" for name in done.manifest["files"]
    }


def test_a_key_that_cannot_be_used_is_told_at_once(tmp_path):
    authority = holder("Invented authority", authority=True)
    one, other = (holder("Invented supplier", authority) for _ in range(2))
    key, certificate = files_of(tmp_path, one)

    def refused(said: str, *, by=key, under=certificate, day=DAY) -> None:
        with pytest.raises(WrongUsage, match=said):
            Signer.read(by, under, day)

    refused("there is no signing key", by=tmp_path / "none.pem")
    refused("the certificate .* cannot be read", under=tmp_path / "none.pem")
    refused("is valid from .* to .*, not on 2036-01-01", day=date(2036, 1, 1))
    no_key = tmp_path / "no-key.pem"
    no_key.touch(0o600)
    refused("the signing key .* cannot be read", by=no_key)
    certificate.write_bytes(other.pem)
    refused("is not that of the signing key")
    key.chmod(0o644)
    refused(r"can be read or written by others \(mode 644\)")
    key.write_bytes(
        ec.generate_private_key(ec.SECP192R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key.chmod(0o600)
    refused("neither RSA nor of an elliptic curve, or too short")
    assert "PRIVATE" not in repr(Signer((), object()))
