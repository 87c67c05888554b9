"""Names and datagrams on a wire: sniff.py INTERFACE

One line per packet that comes in by INTERFACE and has to do with DNS (port
53 or 853, to whomever), or is UDP at all: seconds since boot, protocol,
source, source port, destination, destination port, name asked for or "-".
Of TCP only the first packet of a connection.
"""
import socket
import struct
import sys
import time

import dns

DNS_PORTS = (53, 853)
ETH_P_ALL = 3
IPV4, IPV6 = 0x0800, 0x86dd
SYN, ACK = 0x02, 0x10


def network(frame):
    """(protocol, source, destination, what the packet carries)."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[14:]
    if kind == IPV4:
        return (packet[9], socket.inet_ntoa(packet[12:16]),
                socket.inet_ntoa(packet[16:20]),
                packet[(packet[0] & 15) * 4:])
    if kind == IPV6:
        return (packet[6], socket.inet_ntop(socket.AF_INET6, packet[8:24]),
                socket.inet_ntop(socket.AF_INET6, packet[24:40]),
                packet[40:])
    return None


def line(frame):
    """What to say of a frame; None: nothing."""
    found = network(frame)
    if found is None:
        return None
    proto, src, dst, data = found
    sport, dport = struct.unpack_from("!HH", data)
    name = "-"
    if proto == socket.IPPROTO_UDP:
        word = "udp"
        if dport == 53:
            name = dns.question(data[8:])[0]
    elif proto == socket.IPPROTO_TCP:
        word = "tcp"
        if dport not in DNS_PORTS or data[13] & (SYN | ACK) != SYN:
            return None
    else:
        return None
    return " ".join([word, src, str(sport), dst, str(dport), name])


def main(interface):
    # With a protocol from the start it would hear other interfaces as well,
    # and be deaf while it is bound.
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        frame, address = sock.recvfrom(65536)
        if address[2] == socket.PACKET_OUTGOING:
            continue
        try:
            text = line(frame)
        except dns.MALFORMED:
            text = "malformed " + frame.hex()
        if text is not None:
            print("%.3f" % time.clock_gettime(time.CLOCK_BOOTTIME), text,
                  flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
