"""The tests' own guard: nothing leaves this machine."""

import socket
import threading

import pytest
from pytest_socket import SocketConnectBlockedError


# The guard warns besides raising, and warnings are errors.
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_connection_beyond_this_machine_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 80))


def test_a_connection_within_this_machine_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answered = threading.Thread(target=lambda: server.accept()[0].close())
        answered.start()
        with socket.create_connection(server.getsockname(), timeout=5) as inside:
            assert inside.recv(1) == b""
        answered.join()
