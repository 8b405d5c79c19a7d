"""What a sandbox shows of Python: all that the interpreter is linked to, wherever a package manager keeps it."""

import sys

from checker.sandbox import interpreter


def test_a_store_is_shown_whole_to_a_python_that_lies_in_it(tmp_path, monkeypatch):
    """Its libraries lie beside it, in folders that nobody could guess."""
    store = tmp_path / "store"
    (store / "python" / "lib").mkdir(parents=True)
    (store / "libc" / "lib").mkdir(parents=True)
    monkeypatch.setattr(interpreter, "STORES", [str(store)])
    assert str(store) not in interpreter.read_only()
    monkeypatch.setattr(sys, "base_prefix", str(store / "python"))
    shown = interpreter.read_only()
    assert str(store) in shown
    assert not any(path.startswith(f"{store}/") for path in shown)
