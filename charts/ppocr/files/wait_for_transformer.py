import socket
import sys
import time


def busy(port, path):
    # It accepts requests, or it has accepted some and holds its connection to this predictor for them.
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    with open("/proc/net/unix") as sockets:
        return any(line.split()[5:6] == ["03"] and line.rstrip().endswith(" " + path) for line in sockets)


while busy(int(sys.argv[1]), sys.argv[2]):
    time.sleep(0.2)
