"""A way to a server that is slow, breaks, or is closed: a small TCP proxy on a thread."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Passes bytes to a server and back.

    Attributes
    ----------
    delay_s : float
        Every piece waits so long, in each direction.
    break_at : int or None
        All connections break at the so-manieth piece that a client sends, as if a cable was pulled.
    sent : int
        How many pieces clients have sent.
    """

    def __init__(self, host, port, delay_s=0.0):
        self.server, self.delay_s = (host, port), delay_s
        self.break_at, self.sent = None, 0
        self._pairs = []
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.server)
            except OSError:
                return
            self._pairs += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source, target, from_client):
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                if from_client and self._breaks():
                    self.break_all()
                    return
                time.sleep(self.delay_s)
                target.sendall(piece)
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def _breaks(self):
        with self._guard:
            self.sent += 1
            return self.sent == self.break_at

    def break_all(self):
        """Break every connection, whatever is under way on it."""
        for side in self._pairs:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        self._pairs.clear()

    def close(self):
        """Refuse new connections, and break those that there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()
