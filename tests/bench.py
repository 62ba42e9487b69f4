"""Measure speed, limits and memory, each beside what it is compared with: `make bench`."""

import subprocess
import sys

PARTS = (
    ("tests.bench_attribution",),
    ("tests.bench_limits",),
    ("tests.bench_prefixes",),
    ("tests.bench_memory",),
)
"""Modules to run, each of which can be run by itself."""


def main() -> None:
    """Run all parts, one after the other."""
    for module, *arguments in PARTS:
        command = [sys.executable, "-m", module, *arguments]
        sys.stdout.write(f"$ python -m {module}\n")
        sys.stdout.flush()
        subprocess.run(command, check=True)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
