"""The `kata` command and everything behind it; see docs/architecture.md."""

__version__ = "0.1.0"
