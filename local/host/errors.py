"""Errors of the local host. Messages are for the developer of the function app."""


class HostError(Exception):
    """The function app can't be hosted. The message names the function, file or setting at fault."""


class InvocationFailed(Exception):
    """A function raised, or returned what its trigger can't take. The traceback is in the log already."""


class UnreadableMessage(Exception):
    """A queue message is not in the encoding that host.json names, so it is no attempt of any function."""
