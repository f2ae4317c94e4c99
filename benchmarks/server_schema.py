"""Thousands of generated requests against the served document: no 5xx, every answer to schema.

    python benchmarks/server_schema.py --cases 10000

The same test as tests/test_server_schema.py, with more cases.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

# Operations in the document, each with as many cases.
OPERATIONS = 20


def main() -> int:
    """Run the test with more cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    given = parser.parse_args()
    test = Path(__file__).parents[1] / "tests" / "test_server_schema.py"
    examples = str(-(-given.cases // OPERATIONS))
    command = [sys.executable, "-m", "pytest", "-q", "-s", str(test)]
    return subprocess.run(
        command, env={**os.environ, "AUDIENCE_NB_SCHEMA_EXAMPLES": examples}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
