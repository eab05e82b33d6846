"""`python -m lawqa` is `lawqa`."""

import sys

from lawqa.cli import main

if __name__ == "__main__":
    sys.exit(main())
