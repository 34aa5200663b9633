"""The official `openai` package as a judge of the chat emulator and of our requests.

`client URL`: talks to the emulator and prints what it understood, as one line of JSON.
`bodies`: reads one request body a line and writes one line for each: nothing, or what is wrong with it.
"""

import io
import json
import sys

import openai
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter, ValidationError

REQUEST = TypeAdapter(completion_create_params.CompletionCreateParamsStreaming)
KNOWN = set(completion_create_params.CompletionCreateParamsStreaming.__annotations__) | set(
    completion_create_params.CompletionCreateParamsBase.__annotations__
)


def consume(value):
    """Iterables are checked when they are read."""
    if isinstance(value, dict):
        for element in value.values():
            consume(element)
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for element in value:
            consume(element)


def fault(body):
    unknown = set(body) - KNOWN
    if unknown:
        return f"unknown: {sorted(unknown)}"
    try:
        consume(REQUEST.validate_python(body))
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    return ""


def client(url):
    api = openai.OpenAI(base_url=url, api_key="sk-test-secret", max_retries=0)
    tools = [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks.",
                "strict": True,
                "parameters": {
                    "type": "object",
                    "properties": {"x": {"type": "integer"}},
                    "required": ["x"],
                    "additionalProperties": False,
                },
            },
        }
    ]
    question = {"role": "user", "content": "hello"}
    seen = {}
    whole = api.chat.completions.create(model="m", messages=[question])
    seen["whole"] = whole.choices[0].message.content
    with api.chat.completions.stream(model="m", messages=[question], tools=tools) as stream:
        final = stream.get_final_completion().choices[0]
    seen["stream"] = [final.message.content, final.finish_reason]
    seen["calls"] = [[c.id, c.function.name, c.function.arguments] for c in final.message.tool_calls or []]
    usage = [
        chunk.usage.total_tokens
        for chunk in api.chat.completions.create(
            model="m", messages=[question], stream=True, stream_options={"include_usage": True}
        )
        if chunk.usage
    ]
    seen["usage"] = usage
    try:
        openai.OpenAI(base_url=url, api_key="wrong", max_retries=0).models.list()
    except openai.AuthenticationError as error:
        seen["wrong key"] = error.code
    speech = api.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Good morning.", response_format="wav")
    sound = speech.read()
    seen["speech"] = sound[:4].decode()
    pcm = api.audio.speech.create(model="tts-1", voice="nova", input="Good morning.", response_format="pcm").read()
    head = sound[:4] + (36 + len(pcm)).to_bytes(4, "little") + sound[8:40] + len(pcm).to_bytes(4, "little")
    words = api.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(head + pcm)))
    seen["transcription"] = words.text
    print(json.dumps(seen))


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    for line in sys.stdin:
        print(fault(json.loads(line)), flush=True)
