r"""Finds the run's channel by trying every descriptor, and writes the messages by hand.

Named: spoke to the grader .*went on after its answer
May earn: 0
"""

import os
import struct


def say(body):
    frame = struct.pack(">I", len(body)) + body
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, frame)
        except OSError:
            pass


say(b"\x91\xa6loaded")
say(b"\x92\xa8returned\x92\xa1l\x90")
say(b"\x92\xa8returned\x92\xa1l\x90")
os._exit(0)
