"""100 viewers of the live page: what they cost. `scripts/bench viewers [SECONDS]` runs it on a private server."""

import http.client
import os
import sys
import tempfile
import threading
import time

from site_under_test import TOKEN, Server, administrate

VIEWERS = int(os.environ.get("HEADROOM_TEST_VIEWERS", "100"))
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


class Viewer(threading.Thread):
    """Reads the live pictures and counts them."""

    def __init__(self, base):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=30)
        self.pictures = 0

    def run(self):
        self.connection.request("GET", "/events", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = self.connection.getresponse()
        while line := answer.readline():
            self.pictures += line.startswith(b"event: picture")


def resident(pid):
    """The memory that is the process's own, in kB, and all of what is resident."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        values = {line.split()[0]: int(line.split()[1]) for line in file if line.split()[0] in ("Rss:", "Anonymous:")}
    return values["Anonymous:"], values["Rss:"]


def cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


with tempfile.TemporaryDirectory(prefix="headroom-viewers-") as folder:
    server = Server(folder)
    viewers = [Viewer(server.base) for _ in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    time.sleep(5)
    user = os.environ["DB_USERNAME"]
    start, begin, most, memory = time.monotonic(), cpu(server.process.pid), 0, []
    while time.monotonic() - start < SECONDS:
        count = administrate(f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'")[0][0]
        most = max(most, count)
        memory.append(resident(server.process.pid))
        time.sleep(0.05 if len(memory) % 20 else 0.5)
    took = time.monotonic() - start
    share = (cpu(server.process.pid) - begin) / took
    third = len(memory) // 3
    middle = sum(own for own, _ in memory[third : 2 * third]) / third
    last = sum(own for own, _ in memory[2 * third :]) / (len(memory) - 2 * third)
    pictures = sum(viewer.pictures for viewer in viewers)
    print(f"{VIEWERS} viewers for {took:.0f} s: {pictures} pictures, most connections {most}, {share:.1%} of a core,")
    print(f"  own memory {middle / 1024:.1f} MB in the middle third, {last / 1024:.1f} MB in the last; resident {memory[-1][1] / 1024:.1f} MB")
    # The viewers' threads end with the process: closing a socket that one still reads would only make it complain.
    server.stop()
