"""The lab's notes call this file; it is `lawqa train`."""

import sys

from lawqa.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
