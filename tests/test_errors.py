"""What an error says: of a disk, and of text that plays tricks."""

from __future__ import annotations

import pytest

from lawqa.errors import disk_fault, printable

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (OSError(28, "No space left on device"), "there is no room left: No space left on device"),
        (OSError(27, "File too large", "r"), "r: there is no room left: File too large"),
        (OSError(30, "Read-only file system", "r"), "r: cannot be written or read: Read-only file system"),
        (PermissionError(13, "Permission denied", "r"), "r: cannot be written or read: Permission denied"),
    ],
)  # fmt: skip
def test_what_a_disk_says_is_no_bug(problem: OSError, message: str) -> None:
    fault = disk_fault(problem)
    assert fault is not None
    assert fault.message == message
    assert fault.hint


def test_what_else_a_system_says_stays_a_bug() -> None:
    assert disk_fault(OSError(9, "Bad file descriptor")) is None
    assert disk_fault(OSError("no number")) is None


def test_a_message_keeps_its_text_and_loses_its_tricks() -> None:
    assert printable("問題\u3000一\n二 é 𠮟") == "問題\u3000一\n二 é 𠮟"
    assert printable("a\x1b[2J\u202eb\r\x00") == "a\\u001b[2J\\u202eb\\u000d\\u0000"
