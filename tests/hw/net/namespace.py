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
