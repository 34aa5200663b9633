#!/usr/bin/env python3
"""Measures routerd beside its C twin, in one run and in turns (A B A B …). See README.md.

bench.py [setup] [media] [idle] [routes] [agent] [--targets routerd,twin,…] [--seconds S] [--runs N] [--cpu N] [--load-cpu N]

One line that starts with RESULT comes out for each figure: medians, [lowest..highest], and the ratio of the
first target to the second, where more than 1 is better than it. All single runs go to results.jsonl.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import agents as bridges
import routes as large_tables

HERE = Path(__file__).resolve().parent
BUILT = HERE / ".build"
SETTINGS = argparse.Namespace()


def prefer():
    """Run in a session of its own and, where NICE says so and root may, ahead of others' work."""
    os.setsid()
    if nice := os.environ.get("NICE"):
        try:
            os.nice(int(nice))
            Path("/proc/self/autogroup").write_text(nice)
        except OSError:
            pass  # Not root, or no autogroups: the run is as good as the machine is quiet.


class Target:
    """A server to measure: targets/NAME.toml says how to start it and where it listens."""

    def __init__(self, name):
        self.name = name
        self.settings = tomllib.loads((HERE / "targets" / f"{name}.toml").read_text())
        self.process = None
        self.prefer = prefer

    def is_installed(self):
        """Its program is there, or the variable that names it is set."""
        program, variable = self.settings.get("program"), self.settings.get("variable")
        return not (program and not shutil.which(program)) and not (variable and not os.environ.get(variable))

    def measures(self, what):
        return what in self.settings.get("measures", ["setup", "media", "idle"])

    def __enter__(self):
        given = {key: str(value) for key, value in self.settings.get("env", {}).items()}
        start = self.settings["start"].split()
        with open(BUILT / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(SETTINGS.cpu), f"./{start[0]}", *start[1:]],
                cwd=HERE / "targets", env=os.environ | given | {"RUN": str(BUILT)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=prefer)
        end = time.monotonic() + self.settings.get("start_seconds", 30)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                sys.exit(f"bench: {self.name} did not start; see {BUILT / self.name}.log")
        time.sleep(self.settings.get("settle", 1))
        return self

    def __exit__(self, *_):
        # Only what we started: run.sh becomes the server, so its process is the server's.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def command(self, word):
        """Has the target's program do something, e.g. reload; what it printed."""
        start = self.settings["start"].split()[0]
        given = {key: str(value) for key, value in self.settings.get("env", {}).items()}
        return subprocess.run([f"./{start}", word], cwd=HERE / "targets", env=os.environ | given | {"RUN": str(BUILT)},
                              stdout=subprocess.PIPE, text=True, check=True).stdout

    def answers(self):
        """Whether it answers OPTIONS, with whatever status; without SIP, whether it accepts connections."""
        if "sip" not in self.settings:
            host, port = self.settings["tcp"].split(":")
            try:
                socket.create_connection((host, int(port)), 0.2).close()
                return True
            except OSError:
                return False
        host, port = self.settings["sip"].split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.2)
            own, unique = probe.getsockname()[1], time.monotonic_ns()
            probe.sendto((
                f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{unique};rport\r\nMax-Forwards: 70\r\n"
                f"From: <sip:bench@127.0.0.1>;tag={unique}\r\nTo: <sip:{host}:{port}>\r\n"
                f"Call-ID: {unique}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:bench@127.0.0.1:{own}>\r\n"
                "Content-Length: 0\r\n\r\n").encode(), (host, int(port)))
            try:
                return bool(probe.recv(4096))
            except OSError:
                return False

    def load(self, measure, **options):
        """One run of the load program against a fresh server; what it printed, as a dictionary."""
        with self:
            words = [str(BUILT / "load"), measure, "--to", self.settings["sip"], "--pid", str(self.process.pid),
                     "--expect", str(self.settings.get("expect", 200)),
                     "--numbers", str(self.settings.get("did_count", 1000))]
            for key, value in options.items():
                words += [f"--{key}", str(value)]
            done = subprocess.run(["taskset", "-c", str(SETTINGS.load_cpu), *words], preexec_fn=prefer,
                                  stdout=subprocess.PIPE, text=True, timeout=300, check=True)
        run = {key: float(value) for key, value in (word.split("=") for word in done.stdout.split())}
        with open(BUILT / "results.jsonl", "a") as file:
            file.write(json.dumps({"target": self.name, "measure": measure, "options": options, "run": run}) + "\n")
        return run


# ---- what counts as clean --------------------------------------------------------------------------------


def setup_at(target, rate):
    run = target.load("setup", rate=rate, seconds=SETTINGS.seconds)
    return run, run["failed"] == run["late"] == run["again"] == 0 and run["rate"] > 0.97 * rate


def media_at(target, calls):
    run = target.load("media", calls=calls, seconds=SETTINGS.seconds, warm=2)
    return run, run["up"] == calls and run["failed"] == 0 and run["loss_pct"] < 0.1 and 0 <= run["jitter_ms_p99"] < 5


def largest_clean(target, attempt, start):
    """The largest value, to 5 %, that runs cleanly. What fails is tried twice: the machine may have been busy."""

    def is_clean(value):
        for _ in range(2):
            run, clean = attempt(target, value)
            print(f"  {target.name} {attempt.__name__} {value}: {'clean' if clean else 'not clean'} "
                  + " ".join(f"{key}={run[key]:g}" for key in run if key in SHOWN), flush=True)
            if clean:
                return True
        return False

    best, bad, value = 0, None, start
    while bad is None or bad > 1.06 * max(best, 1):
        if is_clean(value):
            best = value
        else:
            bad = value
        if bad is None:
            value = int(1.5 * value)
        elif best:
            value = (best + bad) // 2
        else:
            value = bad // 2
        if value < 1:
            break
    return best


SHOWN = ("failed", "late", "again", "up", "loss_pct", "jitter_ms_p99", "setup_ms_p99", "cpu", "load_cpu", "foreign",
         "lost_sessions", "up_worst", "down_worst", "e2e_ms_p99", "sut_cpu", "lag_ms", "other0")


# ---- figures ---------------------------------------------------------------------------------------------


def result(name, figures, unit, more_is_better, foreign=()):
    """Prints one RESULT line. The ratio is the first target's to the second's; over 1 it is the better one."""
    words = [f"RESULT {name}"]
    for target, values in figures.items():
        words.append(f"{target}={statistics.median(values):.4g}{unit}[{min(values):.4g}..{max(values):.4g}]")
    medians = [statistics.median(values) for values in figures.values()]
    if len(medians) > 1 and all(medians[:2]):
        ratio = medians[0] / medians[1] if more_is_better else medians[1] / medians[0]
        words.append("ratio={}/{}:{:.2f}".format(*list(figures)[:2], ratio))
    words.append(f"n={min(map(len, figures.values()))}")
    if foreign:
        words.append(f"foreign={statistics.median(foreign):.0f}%")
    print(" ".join(words), flush=True)


def find_largest(name, targets, attempt, start):
    found = {target.name: [] for target in targets}
    for _ in range(SETTINGS.runs):
        for target in targets:
            known = found[target.name]
            found[target.name].append(largest_clean(target, attempt, int(0.9 * known[-1]) if known and known[-1] else start))
    result(name, found, "", True)


def at_a_fixed_load(name, targets, measure, key, unit, **options):
    figures, foreign = {target.name: [] for target in targets}, []
    for _ in range(SETTINGS.runs):
        for target in targets:
            run = target.load(measure, **options)
            figures[target.name].append(run[key])
            foreign.append(run["foreign"])
            if run["failed"]:
                print(f"  {target.name} {measure} {options}: {run['failed']:g} calls failed", flush=True)
    result(name, figures, unit, False, foreign)


def setup(targets):
    at_a_fixed_load(f"setup-cpu-at-{SETTINGS.rate}/s", targets, "setup", "cpu_us_per_call", "us",
                    rate=SETTINGS.rate, seconds=SETTINGS.seconds)
    if not SETTINGS.quick:
        find_largest("setup-max-calls/s", targets, setup_at, SETTINGS.rate)


def media(targets):
    at_a_fixed_load(f"media-cpu-a-call-second-at-{SETTINGS.calls}", targets, "media", "cpu_us_per_call_second", "us",
                    calls=SETTINGS.calls, seconds=SETTINGS.seconds, warm=2)
    if not SETTINGS.quick:
        find_largest("media-max-calls", targets, media_at, SETTINGS.calls)


def idle(targets):
    at_a_fixed_load("idle-memory-a-call", targets, "idle", "kib_per_call", "KiB", calls=1000, seconds=1)


def routes(targets):
    beside = [Target(name) for name in ("kamailio-htable", "kamailio-mtree")]
    own = [target for target in targets if target.name == "routerd"]
    large_tables.measure(SETTINGS, prefer, own + [target for target in beside if target.is_installed()], BUILT, result)


def agent(targets):
    beside = [Target(name) for name in ("bridge", "routerd-sip", "pipecat")]
    own = [target for target in targets if target.name == "routerd"]
    bridges.measure(SETTINGS, own + [target for target in beside if target.is_installed()], BUILT, result, largest_clean)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="setup|media|idle|routes|agent")
    parser.add_argument("--targets", default="routerd,twin", help="the first is compared with the second")
    parser.add_argument("--seconds", type=float, default=4, help="measured time of a run")
    parser.add_argument("--runs", type=int, default=3, help="runs of each target, in turns")
    parser.add_argument("--rate", type=int, default=1000, help="calls a second at the fixed load")
    parser.add_argument("--calls", type=int, default=400, help="calls with media at the fixed load")
    parser.add_argument("--routes", type=int, default=1_000_000, help="numbers in the large table")
    parser.add_argument("--reload-rate", type=int, default=1000, help="calls a second while a table is reloaded: half of what it can do")
    parser.add_argument("--reload-seconds", type=float, default=30, help="how long they go on")
    parser.add_argument("--agent-seconds", type=float, default=10, help="measured time of a run of agent")
    parser.add_argument("--quick", action="store_true", help="only the fixed loads, no search for the largest")
    parser.add_argument("--cpu", type=int, default=0, help="of the target")
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.parse_args(namespace=SETTINGS)
    known = {"setup": setup, "media": media, "idle": idle, "routes": routes, "agent": agent}
    if unknown := set(SETTINGS.measures) - set(known):
        parser.error(f"no measure {', '.join(sorted(unknown))}")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench: two CPUs are needed, one for the server and one for the load")

    targets = [Target(name) for name in SETTINGS.targets.split(",")]
    for target in targets:
        if not target.is_installed():
            print(f"# {target.name} is not installed and left out")
    targets = [target for target in targets if target.is_installed()]
    for measure in SETTINGS.measures or known:
        known[measure]([target for target in targets if measure in ("routes", "agent") or target.measures(measure)])


if __name__ == "__main__":
    main()
