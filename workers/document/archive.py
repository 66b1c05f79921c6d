"""An archive in an open format: a ZIP of plain files, with a manifest that counts and fingerprints each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile


class Archive:
    """A ZIP that is being written, and what is in it so far."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = ZipFile(out, "w", ZIP_DEFLATED)
        self.files: dict[str, dict[str, Any]] = {}
        """Each file's size in bytes, its SHA-256 and, where it has rows, how many."""

    def __enter__(self) -> Archive:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the ZIP while its file is open, where it did not come to its end."""
        self._zip.close()

    def add(self, path: str, content: Iterable[bytes], *, rows: int | None = None) -> None:
        """Write a file from its pieces."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(path, "w", force_zip64=True) as file:
            for piece in content:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        counted = {} if rows is None else {"rows": rows}
        self.files[path] = {**counted, "bytes": size, "sha256": digest.hexdigest()}

    def close(self, *, readme: str, manifest: dict[str, Any]) -> None:
        """Write the README and the manifest, which lists every other file, and end the ZIP."""
        self._zip.writestr("README.txt", readme)
        self._zip.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
        self._zip.close()
