"""What krew/package and probe/image share: archives that are the same bytes each time."""

import io
import os
import re
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIME = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def version() -> str:
    """Of the workspace."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    if found is None:
        sys.exit("Cargo.toml names no version")
    return found.group(1)


def tar(*files: tuple[str, bytes, int]) -> bytes:
    """Files as (path, content, mode), all of root, all of the same time."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as entries:
        for path, content, mode in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode, TIME
            entries.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def arguments(usage: str) -> tuple[Path, list[tuple[str, bytes, int]], list[tuple[str, Path]]]:
    """WHERE [LICENCES] PLATFORM=BINARY…: where to, the licences as files for `tar`, the binaries by platform."""
    where, *rest = sys.argv[1:] or sys.exit(usage)
    licences = [("LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644)]
    if rest and "=" not in rest[0]:
        licences.append(("THIRD-PARTY.txt", Path(rest.pop(0)).read_bytes(), 0o644))
    if not rest or not all("=" in argument for argument in rest):
        sys.exit(usage)
    binaries = sorted(argument.split("=", 1) for argument in rest)
    return Path(where), licences, [(platform, Path(binary)) for platform, binary in binaries]
