"""Grades many submissions: plans the work, hands it out, keeps what comes back."""
