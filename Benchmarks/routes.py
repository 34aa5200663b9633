"""The measure `routes`: large route tables, what a look-up and a load take, and a reload under a load of calls.

routerd's table has N exact numbers, N/10 prefixes and N/1000 patterns; Kamailio's htable and mtree have the N numbers.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import time
from pathlib import Path


def write_table(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "numbers.yaml", "w") as file:
        file.write("numbering: {region: US}\nagents: {echo: {}}\nroutes:\n")
        for name, number, many in (("n", "+1555%07d", count), ("p", "+44%06d*", count // 10), ("q", "+49%04d???01", count // 1000)):
            for i in range(many):
                file.write('  - {name: %s%d, match: {to: "%s"}, agent: echo}\n' % (name, i, number % i))


def memory_mib(group):
    """Proportional set size of all processes of a group: shared memory counts once."""
    total = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                total += int(re.search(r"^Pss:\s+(\d+)", (entry / "smaps_rollup").read_text(), re.M)[1])
        except (OSError, TypeError):
            pass  # It ended meanwhile, or is the kernel's.
    return total / 1024


def kamailio_lookup_ns(address, count):
    """Kamailio times a loop of look-ups in its own script; the same loop without them is taken off."""
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(120)
        own = probe.getsockname()[1]
        probe.sendto((f"OPTIONS sip:bench@{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKb{own}\r\n"
                      f"From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:bench@{host}>\r\nCall-ID: b{own}\r\nCSeq: 1 OPTIONS\r\n"
                      "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(), (host, int(port)))
        answer = probe.recv(4096).decode()
    empty, full = ([float(word) for word in re.search(rf"X-{name}: (.*)\r", answer)[1].split()] for name in ("Empty", "Lookup"))
    if full[2] != count:
        raise SystemExit(f"bench: kamailio found {full[2]:g} of {count} numbers")
    return ((full[1] - full[0]) - (empty[1] - empty[0])) / count * 1e9


def check(settings, prefer, program, folder):
    done = subprocess.run(["taskset", "-c", str(settings.cpu), program, "check", "--timing", "--json", "--routes", str(folder)],
                          preexec_fn=prefer, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)["timing"]


def reload_under_load(settings, prefer, target, built, count):
    """Calls at half of a safe rate, a reload in the middle. What became of both."""
    target.settings.setdefault("env", {})["ROUTES"] = count
    with target:
        before = memory_mib(target.process.pid)
        words = [str(built / "load"), "setup", "--to", target.settings["sip"], "--pid", str(target.process.pid),
                 "--expect", str(target.settings.get("expect", 200)), "--numbers", str(count),
                 "--rate", str(settings.reload_rate), "--seconds", str(settings.reload_seconds)]
        lookup = kamailio_lookup_ns(target.settings["sip"], 200_000) if target.name != "routerd" else None
        if target.name == "routerd":
            target.command("change")  # Kamailio reads its database again, changed or not; here the same files are no reload.
        load = subprocess.Popen(["taskset", "-c", str(settings.load_cpu), *words], preexec_fn=prefer, stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        pauses = subprocess.Popen(["taskset", "-c", str(settings.cpu), str(built / "pauses")], stdout=subprocess.PIPE, text=True)
        start = time.monotonic()
        reload = target.command("reload")
        seconds = time.monotonic() - start
        pauses.terminate()
        machine, _ = pauses.communicate(timeout=10)
        output, _ = load.communicate(timeout=300)
        after = memory_mib(target.process.pid)
    run = {key: float(value) for key, value in (word.split("=") for word in output.split())}
    return {"lookup": lookup, "seconds": seconds, "before": before, "after": after, "reload": reload, "run": run,
            "machine": machine.strip()}


def measure(settings, prefer, targets, built, result):
    count = settings.routes
    program = os.environ.get("ROUTERD", str(Path(__file__).resolve().parent.parent / ".build/release/routerd"))
    tables = {}
    for size in (1000, count):
        tables[size] = built / f"table-{size}"
        write_table(tables[size], size)
    timings = {size: [] for size in tables}
    for _ in range(settings.runs):
        for size, folder in tables.items():
            timings[size].append(check(settings, prefer, program, folder))
    for key, unit in (("lookupMedian", "ns"), ("lookupP99", "ns"), ("loadSeconds", "s"), ("bytesPerRoute", "B")):
        figures = {f"routerd-{size}": [each[key] for each in timings[size]] for size in tables}
        result(f"routes-{key}", figures, unit, False)

    found = {target.name: [reload_under_load(settings, prefer, target, built, count) for _ in range(settings.runs)] for target in targets}
    own = statistics.median(each["lookupMedian"] for each in timings[count])
    lookups = {name: [each["lookup"] or own for each in runs] for name, runs in found.items()}
    result(f"routes-lookup-of-{count}", lookups, "ns", False)
    result(f"routes-reload-of-{count}", {n: [each["seconds"] for each in runs] for n, runs in found.items()}, "s", False)
    result(f"routes-memory-of-{count}", {n: [each["before"] for each in runs] for n, runs in found.items()}, "MiB", False)
    result(f"routes-memory-after-reload-of-{count}", {n: [each["after"] for each in runs] for n, runs in found.items()}, "MiB", False)
    for name, runs in found.items():
        for each in runs:
            run = each["run"]
            pause = json.loads(each["reload"])["longestLoopDelay"] if name == "routerd" else None
            print(f"RESULT routes-calls-during-reload {name} rate={run['rate']:g} failed={run['failed']:g} again={run['again']:g} "
                  f"setup_ms_p99={run['setup_ms_p99']:g}" + (f" longest-loop-pause={pause:.2f}ms" if pause is not None else "")
                  + f" the-machine's-own: {each['machine']}", flush=True)
