"""Running PostgreSQL when we are root, which it refuses.

Best is a user namespace in which root has another number: nothing is created, and files keep belonging to whoever
started the product, so any data folder works, also one below /root. Where namespaces are not allowed (some
containers) it is a system user, who must then be able to reach the folders.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

_USER = "strongroom"
_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


class NotReachable(RuntimeError):
    """The system user can't enter a folder that PostgreSQL needs."""


@cache
def _namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False)
    return probe.returncode == 0


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        useradd = shutil.which("useradd") or "/usr/sbin/useradd"
        subprocess.run([useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER], check=True)
        return pwd.getpwnam(_USER)


def prefix(folder: Path, programs: Path) -> list[str]:
    """What to put before a command that must not be root's. Makes ``folder`` writable for it.

    Raises NotReachable, naming the folder that is closed.
    """
    if os.geteuid() != 0:
        return []
    owner = folder.stat().st_uid
    if owner == 0 and _namespaces_work():
        return _NAMESPACE
    user = _system_user()
    for path in (folder, programs):
        for parent in path.resolve().parents:
            if not parent.stat().st_mode & 0o001 and parent.stat().st_uid != user.pw_uid:
                raise NotReachable(
                    f"PostgreSQL does not run as root, and its user {_USER} may not enter {parent}. "
                    "Choose another place (DATA=/srv/strongroom), or start the product as an ordinary user."
                )
    if owner == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--"]
