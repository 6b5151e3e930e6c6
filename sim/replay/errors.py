"""Why a replay can't begin, beside a bad file."""


class ReplayError(Exception):
    """What was asked for does not go together; the message is one line for the person who asked."""
