"""Every backend of the response store, opened at a place of its own for a test."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from ieat.pipeline.store.object_store import ObjectStore
from ieat.pipeline.store.sqlite_store import SqliteStore

BACKENDS = ("sqlite", "local objects", "memory", "s3")
SHARED = ("sqlite", "local objects", "s3")
"""Those that several processes can share."""
BUCKET = "answers"


def place_for(backend: str, folder: Path) -> str:
    """Return an unused place."""
    name = secrets.token_hex(4)
    return {
        "sqlite": str(folder / name),
        "local objects": f"file://{folder / name}",
        "memory": f"memory://{name}",
        "s3": f"s3://{BUCKET}/{name}",
    }[backend]


def open_at(place: str, *, replay: bool = False) -> SqliteStore | ObjectStore:
    """Open the store at a place, without a memory in front of it."""
    return (
        ObjectStore(place, replay=replay)
        if "://" in place
        else SqliteStore(Path(place), replay=replay)
    )


@contextmanager
def s3_server() -> Iterator[None]:
    """Serve S3 on loopback while the block runs; this process and its children use it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with patch.dict(os.environ, environment):
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir(BUCKET)
        try:
            yield
        finally:
            s3fs.S3FileSystem.clear_instance_cache()
            server.stop()
