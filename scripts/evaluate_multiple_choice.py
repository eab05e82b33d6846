"""The lab's notes call this file; it is `lawqa evaluate`."""

import sys

from lawqa.cli import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
