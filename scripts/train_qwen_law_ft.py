"""The lab's notes call this file; it is `lawqa train`, with whole weights unless 4 bits are asked for."""

import sys

from lawqa.cli import main
from lawqa.cli.model_flags import as_in_the_lab

sys.exit(main(["train", *as_in_the_lab(sys.argv[1:])]))
