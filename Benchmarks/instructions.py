#!/usr/bin/env python3
"""How many instructions a call takes, in the program itself: a figure that no other work on the machine touches.

instructions.py [--targets routerd,twin] [--keep DIR]

Each target runs under callgrind (apt install valgrind) with few and with many calls in the same time; what the many take more is
counted, so that start and idling are not. The kernel's part does not show here: `bench.py setup` has it. `--keep` leaves
callgrind's files behind, for `callgrind_annotate --inclusive=yes FILE | swift demangle --simplified`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import bench

FEW, MANY, SECONDS = 10, 40, 10
VARIABLES = {"routerd": "ROUTERD", "twin": "TWIN"}
PROGRAMS = {"routerd": bench.HERE.parent / ".build/release/routerd", "twin": bench.BUILT / "twin"}


def under_callgrind(name, folder):
    """A program that runs the target's under callgrind. Swift's debugging information is more than valgrind reads."""
    bare = folder / name
    subprocess.run(["strip", "-g", "-o", bare, PROGRAMS[name]], check=True)
    wrapper = folder / f"{name}.sh"
    wrapper.write_text(f'#!/bin/sh\nexec valgrind -q --tool=callgrind --callgrind-out-file="$COUNTS" {bare} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def instructions(name, rate, folder):
    """All that one run executes."""
    counts = folder / f"{name}-at-{rate}.callgrind"
    os.environ["COUNTS"] = str(counts)
    run = bench.Target(name).load("setup", rate=rate, seconds=SECONDS, warm=0)
    if run["failed"]:
        sys.exit(f"instructions: {int(run['failed'])} calls failed; see {bench.BUILT / name}.log")
    totals = [line.split()[1] for line in counts.read_text(errors="replace").splitlines() if line.startswith("totals:")]
    return sum(map(int, totals))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", default="routerd,twin")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    bench.SETTINGS.cpu, bench.SETTINGS.load_cpu = 0, min(1, os.cpu_count() - 1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        figures = {}
        for name in options.targets.split(","):
            os.environ[VARIABLES[name]] = str(under_callgrind(name, folder))
            few, many = (instructions(name, rate, folder) for rate in (FEW, MANY))
            if many <= few:
                sys.exit(f"instructions: the calls went to somebody else; see {bench.BUILT / name}.log")
            figures[name] = (many - few) / ((MANY - FEW) * SECONDS)
        first, *others = figures
        ratio = "".join(f" ratio={first}/{other}:{figures[other] / figures[first]:.2f}" for other in others)
        print("RESULT setup-instructions-a-call " + " ".join(f"{k}={v:.0f}" for k, v in figures.items()) + ratio)


if __name__ == "__main__":
    main()
