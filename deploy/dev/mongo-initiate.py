"""Makes a fresh mongod a replica set of one and waits until it takes writes: mongo-initiate.py PORT"""

import socket
import struct
import sys
import time


def element(name, value):
    key = name.encode() + b"\0"
    if isinstance(value, dict):
        return b"\x03" + key + document(value)
    if isinstance(value, list):
        return b"\x04" + key + document({str(at): item for at, item in enumerate(value)})
    if isinstance(value, str):
        return b"\x02" + key + struct.pack("<i", len(value.encode()) + 1) + value.encode() + b"\0"
    return b"\x10" + key + struct.pack("<i", value)


def document(members):
    body = b"".join(element(name, value) for name, value in members.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError("the server closed the connection")
        data += part
    return data


def run(port, command):
    """Runs an admin command over OP_MSG and answers the raw reply."""
    body = struct.pack("<iB", 0, 0) + document({**command, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
        (length,) = struct.unpack("<i", receive(connection, 4))
        return receive(connection, length - 4)


def writable(port):
    return b"\x08isWritablePrimary\0\x01" in run(port, {"hello": 1})


def main(port):
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    end, reply = time.monotonic() + 60, b""
    while time.monotonic() < end:
        try:
            if writable(port):
                return
            # Refused when the set exists, which is well.
            reply = run(port, {"replSetInitiate": {"_id": "rs0", "members": [member]}})
        except OSError as error:
            reply = str(error).encode()
        time.sleep(0.1)
    sys.exit(f"mongod takes no writes: {reply!r}")


main(int(sys.argv[1]))
