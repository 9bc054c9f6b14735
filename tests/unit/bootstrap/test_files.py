"""Files written as a whole, and locks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from threeport.bootstrap.files import Locked, is_locked, lock, write_private


def test_a_file_is_replaced_as_a_whole_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file"
    for text in ("one", "two"):
        write_private(file, text)
        assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in file.parent.iterdir()] == ["file"]


def test_a_lock_is_held_once_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with lock(path, seconds=0):
        assert is_locked(path)
        with pytest.raises(Locked), lock(path, seconds=0):
            pass
    assert not is_locked(path)


def test_who_waits_for_a_lock_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(path, seconds=0):
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    threading.Timer(0.1, release.set).start()
    with lock(path, seconds=10):
        assert release.is_set()
    holder.join()
