"""Signals unwind a command once, and never while it holds something."""

import signal
import subprocess
import sys

import pytest

from local.stack.parts import ROOT

HEAD = """
import os, signal
from local.stack import signals

def send(number):
    os.kill(os.getpid(), number)

"""


def run(code: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a program."""
    done = subprocess.run([sys.executable, "-c", HEAD + code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_ends_the_program_and_later_ones_do_not_interrupt_it(number: signal.Signals) -> None:
    code = f"""
signals.end_by_signals()
try:
    send({number:d})
    print("on")
finally:
    send(signal.SIGTERM)
    send(signal.SIGINT)
    print("ended")
"""
    assert run(code) == (128 + number, ["ended"])


def test_a_protected_block_is_finished_first() -> None:
    code = """
signals.end_by_signals()
with signals.held():
    with signals.held():
        send(signal.SIGHUP)
    print("finished")
print("on")
"""
    assert run(code) == (129, ["finished"])


def test_ignored_signals_stay_ignored() -> None:
    code = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signals.end_by_signals()
send(signal.SIGHUP)
print("on")
"""
    assert run(code) == (0, ["on"])
