"""The fault of whoever gave us the input: shown as one line, never as a traceback."""


class UserFault(Exception):
    """One line: what is wrong, where, what to do."""
