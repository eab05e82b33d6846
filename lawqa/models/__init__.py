"""Language models in Hugging Face format: their files, loading, audits, arithmetic and the tiny model.

Importing this package imports no torch; its modules do.
"""

from importlib.util import find_spec

from lawqa.errors import MissingExtraError

NO_4BIT = "--no-4bit loads the weights whole"


def require_packages(*, quantised: bool = False, training: bool = False) -> None:
    """Make sure that what is needed is installed, without importing it.

    Args:
        quantised: 4-bit weights are needed.
        training: adapters are to be trained.

    Raises:
        MissingExtraError: a package is missing.
    """
    needed = ["torch", "transformers", "peft", "accelerate"]
    needed += ["bitsandbytes"] if quantised else []
    needed += ["datasets"] if training else []
    for package in needed:
        if find_spec(package) is None:
            raise MissingExtraError(
                package, "train", otherwise=NO_4BIT if package == "bitsandbytes" else ""
            )
