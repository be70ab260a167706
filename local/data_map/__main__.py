"""The command: ``python -m local.data_map --port 0 --database PATH|:memory: [--host 127.0.0.1] …``."""

import argparse
import sys
from pathlib import Path

from local.data_map.server import serve


def main() -> int:
    """Runs the Data Map until a signal stops it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.data_map", description="A local Data Map.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--database", default=":memory:", help="a file, or :memory: (default) to keep nothing")
    parser.add_argument("--app-settings", type=Path, help="a file with the settings of the app, for its overview")
    given = parser.parse_args()
    try:
        database = None if given.database == ":memory:" else Path(given.database)
        serve(given.host, given.port, database, given.app_settings)
    except (ValueError, OSError) as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
