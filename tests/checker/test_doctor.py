"""What `examine` says of machines that offer more and less."""

import shutil

import pytest

from checker.sandbox import doctor


def findings():
    return {finding.name: finding for finding in doctor.examine()}


def test_it_says_what_auto_takes(sandbox):
    """The choice it names is the one that is made."""
    sandbox.start()
    assert findings()["choice"].says == f"`--sandbox auto` takes {sandbox.kind}." or sandbox.kind == "none"


def test_what_is_missing_comes_with_advice(monkeypatch):
    """Without bubblewrap and Landlock every finding that is not well says what to do."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("checker.runner.confine.version", lambda: 0)
    found = findings()
    assert not any(found[name].ok for name in ("bwrap", "landlock", "choice"))
    assert all(finding.advice for finding in found.values() if not finding.ok)


def test_where_nothing_starts_it_says_why(monkeypatch):
    """Not that there is no sandbox: that would be a lesser evil."""
    monkeypatch.setattr(doctor, "_try", lambda kind: f"no {kind}")
    assert findings()["choice"].says == "Nothing can be played here. no none"


def test_a_refused_bubblewrap_is_known_by_trying(monkeypatch, tmp_path):
    """An installed bwrap that may not make namespaces is not taken for one that works."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    found = findings()["bwrap"]
    assert not found.ok
    assert "refused" in found.says


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("user/max_user_namespaces", "0", "max_user_namespaces"),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
    ],
)
def test_forbidden_namespaces_are_explained(monkeypatch, name, value, word):
    """Each setting that forbids user namespaces is named, with what to set."""
    monkeypatch.setattr(doctor, "_setting", lambda asked: value if asked == name else "")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    assert word in doctor._namespaces().advice
