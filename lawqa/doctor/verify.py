"""Reading a model whole and comparing it with the digests that are remembered of it."""

from __future__ import annotations

from lawqa.digests import digest_cache
from lawqa.doctor.findings import Finding
from lawqa.errors import DataError
from lawqa.models.files.identity import model_directory, read_identity


def verified(model: str) -> Finding:
    """Return whether every byte of a model is what the remembered digests were made of.

    Args:
        model: a directory, or a name in the Hugging Face cache.
    """
    directory = model_directory(model, None)
    if directory is None:
        return Finding("digests", "problem", f"{model}: is not here, so nothing can be verified")
    try:
        identity = read_identity(directory, verify=True)
    except DataError as problem:
        return Finding("digests", "problem", problem.message, problem.hint)
    weights = identity.content["weights"]
    shown = f"weights {weights[:12]}" if weights else "no weights"
    return Finding(
        "digests",
        "ok",
        f"{directory}: read whole ({shown}); nothing in {digest_cache()} differs",
    )
