"""What every sandbox raises that cannot be had here."""


class Unavailable(RuntimeError):
    """This machine does not offer the sandbox that was asked for; says what to do."""
