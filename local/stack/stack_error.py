"""What can go wrong with the local stack. Each message is written for the person at the terminal."""


class StackError(Exception):
    """A part of the local stack can't be started, reached or ended. The message says which and why."""
