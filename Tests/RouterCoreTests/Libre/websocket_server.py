"""A real WebSocket server, for WebSocketTests. Prints its port, then serves until its standard input closes."""
import asyncio, sys
import websockets


async def serve(socket, path=None):
    path = path or socket.path
    if path == "/greets":
        await socket.send("hello")
    if path == "/closes":
        return await socket.close(4001, "not today")
    if path == "/garbage":
        socket.transport.write(b"\xff\xff\xff\xff")
        return await asyncio.sleep(30)
    if path == "/fragments":
        await socket.send(["one ", "two ", "three"])
    if path == "/big":
        return await socket.send(b"x" * 300_000)
    if path == "/flood":
        for _ in range(4000):
            await socket.send(b"x" * 1000)
    if path == "/aborts":
        return socket.transport.abort()
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
