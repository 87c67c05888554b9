"""What a script with python3-stem does to ask Tor: peer_ask.py WHAT SOCKET

bootstrap: the bootstrap status, and the percentage as exit code, as
systemcheck asks it.  status: what "portcullis status" tells of Tor.  Exit
code 255: no Tor; 177: no stem.
"""
import re
import sys

try:
    from stem.connection import connect
except ImportError:
    sys.exit(177)

controller = connect(control_socket=sys.argv[2])
if not controller:
    sys.exit(255)
if sys.argv[1] == "bootstrap":
    status = controller.get_info("status/bootstrap-phase")
    print(status)
    controller.close()
    sys.exit(int(re.match(".* PROGRESS=([0-9]+).*", status).group(1)))
for key in ("version", "process/pid", "status/bootstrap-phase",
            "status/circuit-established", "status/enough-dir-info", "dormant",
            "consensus/valid-after", "consensus/valid-until",
            "net/listeners/socks", "net/listeners/trans",
            "net/listeners/dns", "net/listeners/httptunnel"):
    print(key, controller.get_info(key))
print("DisableNetwork", controller.get_conf("DisableNetwork"))
controller.close()
