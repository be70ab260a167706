"""Errors of the local stack. Each message is for the person at the terminal."""


class StackError(Exception):
    """A part of the local stack can't be started, reached or ended. The message says which and why."""
