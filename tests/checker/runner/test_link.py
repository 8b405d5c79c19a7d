"""The run's channel: what a signal asks for never comes into the middle of a message."""

import socket

from checker import messages
from checker.runner.link import Link


def test_a_signal_waits_for_the_message_that_is_being_sent():
    """Stopped while it sends, a run first ends what it was saying: half a message would be no message."""
    ours, theirs = socket.socketpair()
    link = Link(ours)
    send, order = link._send, []

    def interrupted(data):
        link._send = send
        link.between_messages(lambda: order.append("stopped"))
        order.append("sending")
        send(data)
        order.append("sent")

    link._send = interrupted
    link.send(messages.Loaded())
    assert order == ["sending", "sent", "stopped"]
    link.between_messages(lambda: order.append("at once"))
    assert order[3:] == ["at once"]
    link.send(messages.Loaded())
    assert order[4:] == []
    link.close()
    theirs.close()
