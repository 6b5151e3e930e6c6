"""Programs in a network namespace of their own, where the Linux kernel is at the other end of a TAP device."""

import os
import shutil
import subprocess
from pathlib import Path

from sim.verilated.tap import TUN_DEVICE

ROOT = Path(__file__).resolve().parents[3]


def unshared(*command):
    """Runs a command in a network namespace of its own, as its root."""
    return subprocess.run(["unshare", "--map-root-user", "--net", *command], cwd=ROOT, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})


def missing():
    """Why there can't be one with a TAP device in it; "" if there can."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            return f"the kernel's TCP needs a network namespace: {tool} is not installed"
    probe = unshared("ip", "tuntap", "add", "dev", "probe0", "mode", "tap")
    if probe.returncode:
        return f"the kernel's TCP needs a network namespace with a TAP device ({TUN_DEVICE}): {probe.stderr.strip()}"
    return ""


NETEM = "netem loss 5% duplicate 5% reorder 10% delay 10ms 10ms"
"""What the order port goes through, each way: of its delay of 10 ms, 10 more or less, what is reordered has none."""


def harm(device, queue=NETEM):
    """Puts both ways of a TAP device behind a queue of the kernel's, but for the feed's multicast; "" or why that can't be."""
    back = f"{device}b"
    for command in (
        f"tc qdisc add dev {device} root handle 1: htb default 2",
        *(f"tc class add dev {device} parent 1: classid 1:{number} htb rate 10gbit quantum 60000" for number in (1, 2)),
        f"tc filter add dev {device} parent 1: protocol ip prio 1 u32 match ip dst 239.0.0.0/8 flowid 1:1",
        f"tc qdisc add dev {device} parent 1:2 {queue}",
        f"ip link add {back} type ifb", f"ip link set {back} up", f"tc qdisc add dev {back} root {queue}",
        f"tc qdisc add dev {device} handle ffff: ingress",
        f"tc filter add dev {device} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev {back}",
    ):
        try:
            done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            return f"{error.filename} is not installed"
        if done.returncode:
            subprocess.run(["tc", "qdisc", "del", "dev", device, "root"], capture_output=True, check=False)
            return f"{command}: {done.stderr.strip()}"
    return ""
