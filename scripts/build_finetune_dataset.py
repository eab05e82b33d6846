"""The lab's notes call this file; it is `lawqa records`."""

import sys

from lawqa.cli import main

sys.exit(main(["records", *sys.argv[1:]]))
