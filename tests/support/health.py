"""Waiting for an app that has just started."""

import time

import requests


def wait_until_healthy(receiver: str, seconds: float = 120) -> None:
    """Call ``/api/health`` until the app answers 200, so that it has created what it needs in storage.

    :raises AssertionError: it does not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while (answer := requests.get(f"{receiver}/api/health", timeout=30)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert answer.json()["status"] == "ok"
