"""What is under way between sockets, as the kernel tells it in either way, in a network namespace of the test's own."""

import pytest

BEGIN = """
import random, socket, struct, time
from checker.runner.loopback import Loopback

def pair(family=socket.AF_INET, host="127.0.0.1"):
    with socket.create_server((host, 0), family=family) as server:
        client = socket.create_connection(server.getsockname()[:2])
        return client, server.accept()[0]

def until(wanted):
    give_up = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < give_up

def fill(client):
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(1 << 16))
    except BlockingIOError:
        pass

asked, written = Loopback(), Loopback()
written.close()
both = asked, written
"""


@pytest.fixture
def alone(run_alone):
    """Run a script's lines in a network namespace in which there is nobody else."""
    return lambda lines: run_alone(BEGIN + lines, "--unshare-net")


def test_without_sockets_nothing_is_under_way(alone):
    alone("for each in both: assert each.connections() == [] and not each.in_flight()")


def test_quiet_connections_are_told_in_full_by_both_ways(alone):
    """More of them than fit into one page of /proc, of both families."""
    alone("""
open = [pair() for _ in range(60)] + [pair(socket.AF_INET6, "::1") for _ in range(5)]
assert [(end.state, end.unacknowledged) for end in asked.connections()] == [(1, 0)] * 130
assert [end.state for end in written.connections()].count(1) == 130
assert not asked.in_flight() and not written.in_flight()
""")


def test_the_table_is_searched_only_when_a_connection_has_been_opened(alone):
    """Otherwise those found before are asked for, whatever their family; a new one on either side is noticed."""
    alone("""
dual = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
clients = [socket.create_connection((host, dual.getsockname()[1])) for host in ("127.0.0.1", "::1")]
served = [dual.accept()[0] for _ in clients]
open = [pair(), pair(socket.AF_INET6, "::1")]
before, searching = asked.connections(), asked._searched
asked._searched = None
assert asked.connections() == before and len(before) == 8
clients[0].send(b"abc")
until(lambda: sum(end.received == 3 for end in asked.connections()) == 1)
asked._searched = searching
open.append(pair())
assert len(asked.connections()) == 10
""")


def test_what_is_gone_is_not_found_again(alone):
    """The kernel tells of the server at that port in place of a connection, and of one that waits to be forgotten."""
    alone("""
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served = server.accept()[0]
assert len(asked.connections()) == 2
searching, asked._searched = asked._searched, None
client_address = client.getsockname()
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
until(lambda: asked.connections() == [])
asked._searched = searching
again = socket.create_connection(server.getsockname(), source_address=client_address)
assert {end.state for end in asked.connections()} == {1}
""")


def test_asked_again_or_searched_for_the_same_is_found(alone):
    """Whatever happens to connections: somebody who looks for the first time finds the same ends."""
    alone("""
chance = random.Random(7)
with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
    open = []
    for step in range(400):
        doing = chance.choice(["connect", "accept", "send", "read", "shut", "close"])
        one = chance.choice(open) if open else None
        if doing == "connect" and len(open) < 12:
            open.append(socket.create_connection(server.getsockname()))
        elif doing == "accept" and len(open) < 12:
            server.setblocking(False)
            try:
                open.append(server.accept()[0])
            except BlockingIOError:
                pass
        elif one is not None:
            one.setblocking(False)
            try:
                if doing == "send":
                    one.send(bytes(chance.randrange(1, 9000)))
                elif doing == "read":
                    one.recv(9000)
                elif doing == "shut":
                    one.shutdown(socket.SHUT_WR)
                elif doing == "close":
                    open.remove(one)
                    one.close()
            except OSError:
                pass
        def ends(loopback):
            return sorted((end.here, end.there, end.state) for end in loopback.connections())
        until(lambda: ends(asked) == ends(Loopback()))
""")


def test_where_one_connection_cannot_be_asked_for_all_are_searched_for(alone):
    alone("""
from checker.runner import loopback
client, server = pair()
assert len(asked.connections()) == 2
loopback._BY_FAMILY = 99
assert [end.state for end in asked.connections()] == [1, 1]
assert asked._netlink is None
""")


def test_bytes_without_an_acknowledgement_are_under_way_unless_they_are_seen_to_have_come(alone):
    """The peer's kernel holds it back for 40 ms; on a busy machine a look may come later than that."""
    alone("""
client, server = pair()
for _ in range(3):
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    until(lambda: client.send(b"abc") and written.in_flight())
    until(lambda: not written.in_flight())
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    until(lambda: client.send(b"abc") and written.in_flight() and not asked.in_flight())
""")


def test_an_end_that_has_come_is_not_under_way(alone):
    """The peer's kernel holds back the acknowledgement of a connection's end, too."""
    alone("""
def closing():
    client, server = pair()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    client.shutdown(socket.SHUT_WR)
    found = sorted(end.state for end in asked.connections()), asked.in_flight()
    server.close()
    client.close()
    return found == ([4, 8], False)
until(closing)
""")


def test_what_is_said_into_a_closed_direction_is_seen_to_come(alone):
    """A client that has shut its side down still hears; its kernel holds the acknowledgement back."""
    alone("""
client, server = pair()
client.shutdown(socket.SHUT_WR)
until(lambda: sorted(end.state for end in asked.connections()) == [5, 8])
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
until(lambda: server.send(b"abc") and written.in_flight() and not asked.in_flight())
""")


def test_sockets_of_other_users_are_none_of_ours(alone):
    alone("""
import os
client, server = pair()
assert asked.connections() and written.connections()
for each in both:
    each._user = os.getuid() + 1
    assert not each.connections()
""")


def test_bytes_that_are_held_back_are_under_way(alone):
    """The second of two short messages is kept until the first is acknowledged, as Nagle has it."""
    alone("""
client, server = pair()
def held_back():
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    client.send(b"abc")
    client.send(b"def")
    return any(end.unsent > 0 for end in asked.connections()) and asked.in_flight()
until(held_back)
until(lambda: not asked.in_flight())
assert server.recv(9)
""")


def test_bytes_sent_into_a_half_closed_connection_are_under_way(alone):
    alone("""
client, server = pair()
server.shutdown(socket.SHUT_WR)
until(lambda: {end.state for end in asked.connections()} == {5, 8})
def held_back():
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    client.send(b"abc")
    client.send(b"def")
    return asked.in_flight() and written.in_flight()
until(held_back)
""")


def test_a_kernel_without_the_service_is_asked_for_its_table(alone):
    """A service that answers with an error is not asked again; a family that is missing is no error."""
    alone("""
from checker.runner import loopback
client, server = pair()
loopback._BY_FAMILY = 99
loopback._FAMILIES += ((socket.AF_INET6, "/proc/net/nowhere", "/proc/net/nowhere"),)
assert [end.state for end in asked.connections()] == [end.state for end in written.connections()] == [1, 1]
assert asked._netlink is None
""")


def test_a_missing_family_does_not_cost_the_service(alone):
    alone("""
from checker.runner import loopback
client, server = pair()
loopback._FAMILIES += ((socket.AF_INET6, "/proc/net/nowhere", "/proc/net/nowhere"),)
assert len(asked.connections()) == 2 and asked._netlink is not None
""")


def test_bytes_for_a_peer_that_does_not_read_are_not_under_way(alone):
    alone("""
client, server = pair()
fill(client)
until(lambda: not asked.in_flight() and not written.in_flight())
assert max(end.unacknowledged for end in asked.connections()) > 1 << 16
""")


def test_an_end_behind_bytes_that_nobody_reads_is_not_under_way(alone):
    alone("""
client, server = pair()
fill(client)
client.shutdown(socket.SHUT_WR)
until(lambda: not asked.in_flight() and not written.in_flight())
assert {end.state for end in asked.connections()} == {1, 4}
""")


def test_bytes_that_wait_for_more_are_under_way(alone):
    alone("""
client, server = pair()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
until(lambda: client.send(b"abc") and asked.in_flight())
until(lambda: not asked.in_flight())
assert server.recv(3) == b"abc"
""")


def test_a_handshake_that_nobody_answers_is_under_way(alone):
    alone("""
server = socket.create_server(("127.0.0.1", 0), backlog=0)
clients = [socket.socket() for _ in range(4)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
assert 2 in {end.state for end in asked.connections()}
assert asked.in_flight() and written.in_flight()
""")
