"""What may be at a board's port instead of a board."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accepts one connection after the other, and has each served."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as client, suppress(OSError):
                        serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def answering(text: bytes) -> Callable[[socket.socket], None]:
    """A peer that sends `text` for whatever comes."""

    def serve(client: socket.socket) -> None:
        while client.recv(4096):
            client.sendall(text)

    return serve
