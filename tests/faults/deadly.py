"""A local host that dies of an event: ``python -m tests.faults.deadly``, with the options of ``python -m local.host``.

It kills itself (SIGKILL) when it is to decide about an event of a job whose name contains ``deadly``, as a crash of an
extension module or a lack of memory would. Another one is started then, as the platform does. Each death is a line in
the file that the environment variable JOURNAL names.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from local.host import __main__ as host
from pipeline import receive
from receiver.accept import accept

JOURNAL = "SPARKLIN_TEST_JOURNAL"


def main() -> int:
    """Live until the host ends on its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            vars(receive)["accept"] = _deadly(accept)
            os._exit(host.main())
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)


def deaths(journal: Path) -> int:
    """How many hosts have died."""
    return len(journal.read_text().splitlines()) if journal.exists() else 0


def _deadly(original: Any) -> Any:
    def deadly(envelope: Any, rules: Any) -> Any:
        if "deadly" in envelope.job_name:
            with Path(os.environ[JOURNAL]).open("a", encoding="utf-8") as journal:
                journal.write(f"{envelope.job_name}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return original(envelope, rules)

    return deadly


if __name__ == "__main__":
    sys.exit(main())
