"""The file of keys: made for its owner alone, read strictly, and telling nothing of a key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts.keys import FIRST, KEY_BYTES, Key, destroy_keys, key_of, new_key, read_keys
from dmfa.quarter import Quarter

SECRET = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
LATER = Quarter(2026, 4)


def written(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / "keys"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(mode)
    return file


def test_r22_a_new_file_is_its_owners_alone_and_a_key_is_random(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "keys"
    made = [new_key(file, project) for project in ("panel", "other")]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_keys(file) == made
    assert all(len(key.secret) == KEY_BYTES for key in made)
    assert made[0].secret != made[1].secret
    assert [(key.id, key.first) for key in made] == [("1", FIRST), ("1", FIRST)]
    assert [path.name for path in file.parent.iterdir()] == ["keys"]


def test_a_new_key_begins_where_it_is_told_and_quarters_before_keep_theirs(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    first, second = new_key(file, "panel"), new_key(file, "panel", LATER)
    assert second.id == "2"
    keys = read_keys(file)
    assert key_of(keys, "panel", LATER.before) == first
    assert key_of(keys, "panel", LATER) == second
    assert key_of(keys, "other", LATER) is None
    with pytest.raises(WrongUsage, match="panel has a key already, from 2026/4 on"):
        new_key(file, "panel")
    for again in (LATER, LATER.before):
        with pytest.raises(WrongUsage, match="panel has a key from 2026/4 on, and a new one comes after it"):
            new_key(file, "panel", again)
    assert read_keys(file) == keys


def test_before_the_first_key_of_a_project_there_is_none(tmp_path: Path) -> None:
    keys = [new_key(tmp_path / "keys", "panel", LATER)]
    assert key_of(keys, "panel", LATER.before) is None


def test_r24_the_keys_of_a_project_are_destroyed_and_those_of_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    gone, stays = new_key(file, "panel"), new_key(file, "other")
    new_key(file, "panel", LATER)
    assert destroy_keys(file, "panel") == 2
    assert read_keys(file) == [stays]
    assert gone.secret.hex() not in file.read_text()
    with pytest.raises(WrongUsage, match="has no key of panel"):
        destroy_keys(file, "panel")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_have_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, f"panel 1 2003/1 {SECRET}", mode=mode)
    for use in (lambda: read_keys(file), lambda: new_key(file, "more"), lambda: destroy_keys(file, "panel")):
        with pytest.raises(WrongUsage, match=rf"the key file \S+keys can be read or written by others \(mode {mode:o}"):
            use()


def test_a_file_in_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "in").mkdir()
    file = written(tmp_path / "in", f"panel 1 2003/1 {SECRET}")
    for use in (lambda: read_keys(file), lambda: new_key(tmp_path / "in" / "new", "panel")):
        with pytest.raises(WrongUsage, match="lies in a folder under version control"):
            use()
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["keys"]


def test_a_file_that_is_not_there_or_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"there is no key file \S+nowhere"):
        read_keys(tmp_path / "nowhere")
    file = written(tmp_path)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WrongUsage, match=r"the key file \S+ cannot be read"):
        read_keys(file)
    with pytest.raises(WrongUsage, match=r"the key file \S+ cannot be read"):
        (tmp_path / "folder").mkdir(mode=0o700)
        read_keys(tmp_path / "folder")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"panel 1 {SECRET}", "there are 3 words, not 4"),
        (f"Panel 1 2003/1 {OTHER}", "the project is not written as it must be"),
        (f"77101500172 1 2003/1 {OTHER}", "the project is not written as it must be"),
        (f"panel {OTHER} 2003/1 {OTHER}", "the key id is not written as it must be"),
        (f"panel 2 soon {OTHER}", "the third word is not a quarter"),
        ("panel 2 2026/4 " + OTHER[:-2], "the key has 31 bytes, and 32 or more are needed"),
        ("panel 2 2026/4 " + OTHER[:-1] + "g", "the key is not written in hexadecimal digits"),
        ("panel 2 2026/4 " + OTHER[:-1], "the key is not written in hexadecimal digits"),
        (f"panel 1 2026/4 {OTHER}", "panel has two keys with the id 1"),
        (f"panel 2 2003/1 {OTHER}", "panel has two keys from 2003/1 on"),
        (f"other 1 2003/1 {SECRET}", "the key is that of panel, 1"),
    ],
)
def test_a_line_that_is_not_what_it_must_be_is_told_and_no_key_with_it(tmp_path: Path, line: str, said: str) -> None:
    file = written(tmp_path, "# head", "", f"panel 1 2003/1 {SECRET}", line)
    with pytest.raises(WrongUsage) as raised:
        read_keys(file)
    assert str(raised.value).startswith(f"{file}, line 4: {said}")
    assert not any(part in str(raised.value) for part in (SECRET[:16], OTHER[:16]))


@pytest.mark.parametrize("project", ["Panel", "x", "77101500172", "a b", ""])
def test_a_project_that_can_have_no_such_name_gets_no_key_and_is_not_repeated(tmp_path: Path, project: str) -> None:
    with pytest.raises(WrongUsage, match="no project can have such a name"):
        new_key(tmp_path / "keys", project)
    assert not (tmp_path / "keys").exists()


def test_a_key_is_not_in_what_is_shown_of_it() -> None:
    key = Key("panel", "1", FIRST, bytes.fromhex(SECRET))
    assert SECRET not in repr(key)
    assert repr(key.secret) not in repr(key)
