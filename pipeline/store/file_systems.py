"""Says whether a folder lies where SQLite's locks hold: on a disk of this machine."""

import re
from pathlib import Path

from ieat.pipeline.failures import ConfigError

NETWORK_TYPES = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "9p"),
        *("ceph", "lustre", "gpfs", "beegfs", "glusterfs", "ocfs2", "davfs", "orangefs", "panfs"),
        *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.goofys", "fuse.davfs2"),
        *("fuse.mount-s3", "fuse.blobfuse", "fuse.blobfuse2", "fuse.juicefs", "fuse.glusterfs"),
        *("fuse.ceph", "fuse.ceph-fuse", "fuse.smbnetfs", "fuse.curlftpfs"),
    }
)
"""Types of network file systems as Linux names them; a lock there does not hold everywhere."""

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")


def refuse_remote_folder(folder: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Check that a folder is on a local disk; where the system cannot tell, it counts as local.

    Args:
        folder: The folder, which need not exist yet.
        mounts: The list of mounted file systems, in the form of Linux.

    Raises:
        ConfigError: It is a URL or lies on a network file system.
    """
    if URL.match(str(folder)):
        raise ConfigError(
            f"the response store {str(folder)!r} is a URL, and SQLite needs a local disk; "
            "set store to a folder of this machine"
        )
    kind = file_system_type(folder, mounts)
    if kind in NETWORK_TYPES:
        raise ConfigError(
            f"the response store {folder} lies on a network file system ({kind}), where SQLite "
            "can lose answers; set store to a folder on a local disk, or write it as "
            f"file://{folder}, which keeps one file an answer"
        )


def file_system_type(folder: Path, mounts: Path) -> str | None:
    """Return the type of the file system that holds a folder; null where it is not known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    resolved = folder.resolve()
    found: tuple[int, str] | None = None
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescape(fields[1]))
        depth = len(point.parts)
        # The last of equal mount points is the one on top.
        if resolved.is_relative_to(point) and (found is None or depth >= found[0]):
            found = (depth, fields[2])
    return None if found is None else found[1]


def _unescape(point: str) -> str:
    """Turn the octal escapes of a mount point (040 for a space) into characters."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
