"""Holds realtime events to the types of the official `openai` package, strictly: what a type does not know is a fault.

Reads lines `{"side": "client", "server" or "beta", "event": {…}}` and writes one line for each: nothing, or what is wrong.
"""

import json
import sys

from openai.types.beta.realtime import RealtimeClientEvent as BetaClientEvent
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter, ValidationError

SIDES = {
    "client": TypeAdapter(RealtimeClientEvent),
    "server": TypeAdapter(RealtimeServerEvent),
    "beta": TypeAdapter(BetaClientEvent),
}


def unknown(value, path="event"):
    """The names that no type knows; the package's own models let them pass."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}"
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from unknown(element, f"{path}[{index}]")


def fault(side, event):
    try:
        parsed = SIDES[side].validate_json(json.dumps(event), strict=True)
    except ValidationError as error:
        kind = event.get("type", "")
        faults = [e for e in error.errors() if not e["loc"] or kind in str(e["loc"][0])] or error.errors()
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in faults[:5])
    if parsed.type != event["type"]:
        return f"taken for a {parsed.type}"
    return "; ".join(unknown(parsed))


for line in sys.stdin:
    case = json.loads(line)
    print(fault(case["side"], case["event"]), flush=True)
