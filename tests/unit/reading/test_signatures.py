"""Signatures: what holds, and each way in which one does not, with the reason told."""

from __future__ import annotations

import base64
import random
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dmfa.errors import WrongUsage
from dmfa.reading.signatures import LONGEST, SignatureWrong, Trust, check_signature
from tests.authority import NOW, SIGNED, Holder, holder, trust_folder

DATA = b"<DmfAOriginal>\r\n\xc3\xa9</DmfAOriginal>\n"
SENDER = "700001"
ROOT = holder("Authority", authority=True)
BETWEEN = holder("Issuer", ROOT, authority=True)
OWN = holder("Sender", ROOT)
TRUST = Trust((ROOT.pem,), frozenset({(SENDER, OWN.fingerprint)}))


def checked(
    signature: bytes, data: bytes = DATA, *, sender: str = SENDER, trust: Trust = TRUST, late: timedelta = timedelta()
) -> str | None:
    """Why a signature does not hold."""
    try:
        check_signature(data, signature, sender, NOW + late, trust)
    except SignatureWrong as wrong:
        return str(wrong)
    return None


def trusting(*senders: Holder, authority: Holder = ROOT) -> Trust:
    return Trust((authority.pem,), frozenset((SENDER, one.fingerprint) for one in senders))


def test_it_holds_however_its_lines_end() -> None:
    signature = OWN.sign(DATA)
    for end in (b"\n", b"\r\n", b"\r", b""):
        assert checked(signature.replace(b"\n", end)) is None


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_it_holds_with_each_digest_that_is_long_enough(digest: str) -> None:
    assert checked(OWN.sign(DATA, digest=digest)) is None


def test_it_holds_whether_its_signer_is_named_by_issuer_or_by_key() -> None:
    assert checked(OWN.sign(DATA, by_key=True)) is None
    stranger = holder("Stranger", ROOT)
    assert checked(stranger.sign(DATA, by_key=True, with_=[OWN])) == "its certificate is not one of this sender"


def test_it_holds_without_attributes() -> None:
    assert checked(OWN.sign(DATA, at=None)) is None


@pytest.mark.parametrize("pss", [False, True])
def test_it_holds_with_rsa_of_2048_bits_and_not_with_less(pss: bool) -> None:
    for bits, held in ((2048, True), (1024, False)):
        one = holder("RSA", ROOT, key=rsa.generate_private_key(65537, bits))
        why = checked(one.sign(DATA, pss=pss), trust=trusting(one))
        assert why is None if held else why is not None and "1024 bits" in why


def test_one_bit_of_the_file_altered() -> None:
    signature = OWN.sign(DATA)
    for place in range(len(DATA)):
        altered = bytearray(DATA)
        altered[place] ^= 1
        assert checked(signature, bytes(altered)) == "it is not over this file: one of the two was altered"


def test_line_ends_altered_on_the_way_are_an_alteration() -> None:
    assert checked(OWN.sign(DATA), DATA.replace(b"\r\n", b"\n")) is not None


def test_a_signature_altered_anywhere_never_stops_a_run_and_never_holds_for_other_bytes() -> None:
    draw = random.Random(1)
    plain = base64.b64decode(OWN.sign(DATA))
    refused = 0
    for _ in range(300):
        altered = bytearray(plain)
        altered[draw.randrange(len(altered))] ^= 1 << draw.randrange(8)
        refused += checked(base64.b64encode(bytes(altered))) is not None
        assert checked(base64.b64encode(bytes(altered)), DATA + b" ") is not None
    assert refused > 250


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (b"", "cannot be read"),
        (b"\r\n", "cannot be read"),
        (b"not base64!", "it is not base64"),
        (b"MIIB\xff", "it is not base64"),
        (base64.b64encode(b"0\x82\x7f\xffshort"), "can be read"),
        (base64.b64encode(bytes(2000)), "can be read"),
        (base64.b64encode(b"0" * 2_000_000), "too long"),
        (b"A" * (LONGEST + 1), "too long"),
    ],
)
def test_what_is_no_signature(signature: bytes, why: str) -> None:
    told = checked(signature)
    assert told is not None
    assert why.replace("cannot be read", "can be read") in told


def test_one_that_holds_the_declaration_itself() -> None:
    assert "detached" in (checked(OWN.sign(DATA, detached=False)) or "")


def test_the_certificate_has_to_be_the_senders() -> None:
    assert checked(OWN.sign(DATA), sender="700002") == "its certificate is not one of this sender"
    other = holder("Other", ROOT)
    assert checked(other.sign(DATA)) == "its certificate is not one of this sender"


def test_the_chain_has_to_end_at_a_trusted_certificate() -> None:
    leaf = holder("Leaf", BETWEEN)
    lost = "its certificate does not lead to a trusted one that was valid then"
    assert checked(leaf.sign(DATA), trust=trusting(leaf)) == lost
    assert checked(leaf.sign(DATA, with_=[BETWEEN]), trust=trusting(leaf)) is None
    assert checked(leaf.sign(DATA), trust=trusting(leaf, authority=BETWEEN)) is None
    stranger = holder("Authority", authority=True)
    assert checked(leaf.sign(DATA, with_=[BETWEEN]), trust=trusting(leaf, authority=stranger)) == lost
    forged = holder("Sender", stranger)
    assert checked(forged.sign(DATA, with_=[stranger]), trust=trusting(forged)) == lost


def test_who_may_only_sign_files_issues_no_certificates() -> None:
    forged = holder("Forged", OWN)
    assert "does not lead" in (checked(forged.sign(DATA, with_=[OWN]), trust=trusting(forged)) or "")


def test_a_key_that_may_not_sign() -> None:
    sealed = holder("Sealed", ROOT, signs=False)
    assert checked(sealed.sign(DATA), trust=trusting(sealed)) == "its certificate is not one that may sign"


def test_the_certificate_has_to_be_valid_when_it_signs() -> None:
    over = holder("Over", ROOT, end=SIGNED - timedelta(seconds=1))
    soon = holder("Soon", ROOT, begin=SIGNED + timedelta(seconds=1))
    for one in (over, soon):
        assert checked(one.sign(DATA), trust=trusting(one)) == "its certificate was not valid when it was made"


def test_the_time_of_receipt_counts_where_the_signature_tells_none() -> None:
    brief = holder("Brief", ROOT, end=NOW + timedelta(days=10))
    untold = brief.sign(DATA, at=None)
    trust = trusting(brief)
    assert checked(untold, trust=trust) is None
    assert checked(untold, trust=trust, late=timedelta(days=11)) == "its certificate was not valid when it was made"
    assert checked(brief.sign(DATA), trust=trust, late=timedelta(days=11)) is None


def test_no_signature_is_made_after_its_receipt() -> None:
    assert checked(OWN.sign(DATA, at=NOW + timedelta(hours=23))) is None
    assert checked(OWN.sign(DATA, at=NOW + timedelta(hours=25))) == "it tells a time later than that of receipt"


def test_an_elliptic_curve_too_short() -> None:
    small = holder("Small", ROOT, key=ec.generate_private_key(ec.SECP192R1()))
    assert "192 bits" in (checked(small.sign(DATA), trust=trusting(small)) or "")


@pytest.mark.parametrize(
    ("algorithm", "word"), [("md5", "MD5"), ("sha1", "SHA-1"), ("sha224", "SHA-224"), ("md2", "an unknown digest")]
)
def test_weak_digests_are_named(algorithm: str, word: str) -> None:
    message = OWN.message(DATA)
    message["content"]["signer_infos"][0]["digest_algorithm"] = {"algorithm": algorithm}
    why = checked(base64.b64encode(message.dump(force=True)))
    assert why == f"it is made with {word}; SHA-256 or longer is asked for"


def test_it_is_of_one_signer_whose_certificate_comes_with_it() -> None:
    without = OWN.message(DATA)
    without["content"]["certificates"] = []
    assert "certificate of its signer" in (checked(base64.b64encode(without.dump(force=True))) or "")
    twice = OWN.message(DATA)
    twice["content"]["signer_infos"].append(twice["content"]["signer_infos"][0])
    assert "one signer" in (checked(base64.b64encode(twice.dump(force=True))) or "")


def test_another_kind_of_message_is_no_signature() -> None:
    message = cms.ContentInfo({"content_type": "data", "content": DATA})
    assert "another kind" in (checked(base64.b64encode(message.dump())) or "")


def test_a_folder_of_trust_is_read(tmp_path: Path) -> None:
    folder = trust_folder(tmp_path / "trust", [ROOT], [(SENDER, OWN)])
    assert Trust.read(folder) == TRUST
    colons = ":".join(OWN.fingerprint[at : at + 2].upper() for at in range(0, 64, 2))
    (folder / "senders.csv").write_text(f"sender,certificate,note\n{SENDER}, {colons} ,ours\n")
    assert Trust.read(folder) == TRUST


def test_a_folder_of_trust_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is not a folder"):
        Trust.read(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WrongUsage, match="no certificate is in"):
        Trust.read(tmp_path / "empty")
    folder = trust_folder(tmp_path / "trust", [ROOT], [])
    for content in (b"", b"no certificate", ROOT.pem + OWN.pem, ROOT.pem[:-40]):
        (folder / "other.crt").write_bytes(content)
        with pytest.raises(WrongUsage, match=r"other\.crt cannot be read"):
            Trust.read(folder)
    (folder / "other.crt").unlink()
    for line in ("70001," + "0" * 64, "700001,abc", "700001", ",", "700001;" + "0" * 64):
        (folder / "senders.csv").write_text(f"sender,certificate\n{line}\n")
        with pytest.raises(WrongUsage, match="line 2"):
            Trust.read(folder)
    (folder / "senders.csv").unlink()
    with pytest.raises(WrongUsage, match=r"senders\.csv cannot be read"):
        Trust.read(folder)


def test_a_self_signed_certificate_that_is_trusted_itself() -> None:
    alone = holder("Alone")
    assert checked(alone.sign(DATA), trust=trusting(alone, authority=alone)) is None
