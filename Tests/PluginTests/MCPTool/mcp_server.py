"""A server of the official SDK (PyPI: mcp), for MCPServerTests. Argument: http, json, or sse. Prints its port, then serves
until its standard input closes."""
import asyncio, socket, sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("warehouse", instructions="Parts have numbers.")
calls = 0


@server.tool()
def find_part(number: str) -> str:
    """Says where a part lies."""
    return f"part {number} lies in aisle {len(number)}"


@server.tool()
def stock_of(number: str, minimum: int = 0) -> dict[str, int]:
    """How many of a part there are."""
    return {"stock": 7, "minimum": minimum}


@server.tool()
def breaks() -> str:
    """Fails."""
    raise ValueError("the forklift is broken")


@server.tool()
async def sleeps() -> str:
    """Takes long."""
    await asyncio.sleep(60)
    return "awake"


@server.tool()
def count() -> int:
    """Counts its calls."""
    global calls
    calls += 1
    return calls


async def main():
    kind = sys.argv[1]
    app = server.sse_app() if kind == "sse" else server.streamable_http_app(json_response=kind == "json")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=0)
    http = uvicorn.Server(config)
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    while not http.started:
        await asyncio.sleep(0.01)
    print(listener.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    http.force_exit = http.should_exit = True
    await serving


asyncio.run(main())
