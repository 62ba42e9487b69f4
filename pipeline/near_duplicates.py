"""Find texts that are nearly the same: MinHash finds candidates, the shingles themselves decide."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH

from ieat.pipeline.fingerprints import Shingles

NUM_PERMUTATIONS = 64
"""Hash functions of a MinHash (Broder 1997): enough to find candidates, which are then compared
exactly; more would only take memory."""

SEED = 1
"""Of the hash functions: candidates must be the same in every run."""

MISSED = 0.001
"""Most of the pairs at the threshold that banding may not find."""

MIN_SHINGLES = 10
"""Least shingles of a text that is compared: short ones are alike by chance."""


class Text(NamedTuple):
    """A text as it is compared."""

    text_id: str
    """What it belongs to."""
    is_kept: bool
    """Whether it stays whatever it is like: that of a dialogue which its corpus holds out."""
    shingles: Shingles
    """Hashes of its stretches."""


class NearDuplicate(NamedTuple):
    """A text that is nearly an earlier one."""

    text_id: str
    """The later one."""
    original: str
    """The earlier one that it is most like."""
    similarity: float
    """Shared shingles over all shingles of both (Jaccard)."""


def find_near_duplicates(texts: Iterable[Text], threshold: float) -> list[NearDuplicate]:
    """Return the texts that are nearly an earlier one, in the order of their ids.

    Texts that are kept come first, then ids in order; what is found is never an original, so a
    chain of ever less alike texts does not go as a whole.

    Args:
        texts: The texts in any order, each id once; short ones are passed over.
        threshold: Least similarity of a near duplicate.
    """
    num_bands, num_rows = choose_bands(threshold)
    index = MinHashLSH(num_perm=NUM_PERMUTATIONS, params=(num_bands, num_rows))
    originals: dict[str, Shingles] = {}
    found = []
    for text in sorted(texts, key=lambda text: (not text.is_kept, text.text_id)):
        if len(text.shingles) < MIN_SHINGLES:
            continue
        ours = text.shingles
        signature = MinHash(num_perm=NUM_PERMUTATIONS, seed=SEED, hashfunc=int)
        signature.update_batch(ours.tolist())
        alike = [] if text.is_kept else sorted(index.query(signature))
        nearest = max(
            ((_jaccard(ours, originals[other]), other) for other in alike),
            key=lambda pair: pair[0],
            default=(0.0, ""),
        )
        if nearest[0] >= threshold:
            found.append(NearDuplicate(text.text_id, nearest[1], nearest[0]))
            continue
        index.insert(text.text_id, signature, check_duplication=False)
        originals[text.text_id] = ours
    return sorted(found)


def choose_bands(threshold: float) -> tuple[int, int]:
    """Return bands and rows a band: as many rows as leave few pairs at the threshold unfound."""
    for num_rows in range(NUM_PERMUTATIONS, 1, -1):
        num_bands = NUM_PERMUTATIONS // num_rows
        if (1 - threshold**num_rows) ** num_bands <= MISSED:
            return num_bands, num_rows
    return NUM_PERMUTATIONS, 1


def _jaccard(ours: Shingles, theirs: Shingles) -> float:
    shared = len(np.intersect1d(ours, theirs, assume_unique=True))
    return shared / (len(ours) + len(theirs) - shared)
