"""Where trails had got to, written to a file that is taken off the machine.

Somebody who controls the database and the machine's files can set a trail and its anchor back together; an
end that lies elsewhere still shows it. One line per trail: its id, and the line of its anchor.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from apps.vault.audit.anchor import Anchor, AnchorForged, parse
from apps.vault.audit.verify import Proof


def write(path: Path, proofs: Iterable[Proof]) -> int:
    """Write the ends of what was proven. Returns how many. Raises OSError."""
    lines = [f"{proof.trail} {Anchor(proof.last, proof.head).line(proof.trail)}\n" for proof in proofs if proof.entries]
    path.write_text("".join(lines))
    return len(lines)


def read(path: Path) -> dict[UUID, Anchor]:
    """The ends in a file. Raises OSError, AnchorForged."""
    ends = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        name, _, rest = line.partition(" ")
        try:
            trail = UUID(name)
            end = parse(trail, rest.encode())
        except ValueError as error:
            raise AnchorForged(f"Line {number} of {path} is not the end of a trail.") from error
        if end is None:
            raise AnchorForged(f"Line {number} of {path} is not the end of a trail.")
        ends[trail] = end
    return ends
