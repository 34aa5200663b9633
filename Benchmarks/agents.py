"""The measure `agent`: N calls of a VoIP provider, their sound bridged to a realtime model, which echoes or speaks.

The load is the provider and the model in one process with one clock (agent/agentload.c), so one-way delays are exact.
"""

import json
import os
import subprocess


def run(settings, target, built, sessions, mode):
    """One run against a fresh server; what the load printed, as a dictionary."""
    agent = target.settings["agent"]
    with target:
        words = [str(built / "agentload"), "--target", agent.get("target", target.settings["tcp"]), "--path", agent["path"],
                 "--sessions", str(sessions), "--mode", mode, "--mark", agent["mark"], "--agent-format", agent["format"],
                 "--rt-port", str(agent["rt_port"]), "--ramp", str(agent["ramp"]), "--warm", "3",
                 "--duration", str(settings.agent_seconds), "--pids", str(target.process.pid)]
        done = subprocess.run(["taskset", "-c", str(settings.load_cpu), *words], preexec_fn=target.prefer,
                              stdout=subprocess.PIPE, text=True, timeout=600)
    figures = {}
    for word in done.stdout.split():
        key, _, value = word.partition("=")
        try:
            figures[key] = float(value)
        except ValueError:
            figures[key] = value
    with open(built / "results.jsonl", "a") as file:
        file.write(json.dumps({"target": target.name, "measure": f"agent-{mode}", "sessions": sessions, "run": figures}) + "\n")
    return figures


def at(settings, built):
    """How many sessions run cleanly: none lost, 98 % of the sound of the worst one through both ways, nobody later than
    a conversation bears."""

    def sessions_at(target, sessions):
        figures = run(settings, target, built, sessions, "echo")
        if "lost_sessions" not in figures:
            return figures, False  # not even all were connected
        clean = (figures["lost_sessions"] == 0 and min(figures["up_worst"], figures["down_worst"]) > 0.98
                 and 0 <= figures["e2e_ms_p99"] < 800)
        return figures, clean

    return sessions_at


FIGURES = [
    # name, mode, key of the load's line, unit
    ("cpu-a-session-second", "echo", "cpu_ms_per_call_s", "ms"),
    ("delay-to-the-model-p99", "echo", "up_ms_p99", "ms"),
    ("delay-to-the-caller-p99", "echo", "down_ms_p99", "ms"),
    ("speech-to-silence-p99", "turns", "clear_ms_p99", "ms"),
    ("memory-a-session", "echo", "mem_mb_per_session", "MiB"),
]


def measure(settings, targets, built, result, largest):
    found, foreign = {}, []
    for _ in range(settings.runs):
        for mode in ("echo", "turns"):
            for target in targets:
                sessions = target.settings["agent"]["sessions"]
                figures = run(settings, target, built, sessions, mode)
                if figures.get("lost_sessions") != 0:
                    print(f"  {target.name} agent {mode} {sessions}: {figures}", flush=True)
                foreign.append(figures.get("other0", 0))
                for name, of, key, _ in FIGURES:
                    if of == mode and key in figures:
                        found.setdefault(name, {}).setdefault(target.name, []).append(figures[key])
    for name, _, _, unit in FIGURES:
        result(f"agent-{name}", found.get(name, {}), unit, False, foreign)
    if settings.quick:
        return
    most = {}
    for target in targets:
        most[target.name] = [largest(target, at(settings, built), target.settings["agent"]["largest"])]
    result("agent-max-sessions", most, "", True)
