"""`python -m lawqa` is `lawqa`."""

from typing import NoReturn

from lawqa.cli import main
from lawqa.cli.ending import end


def run() -> NoReturn:
    """Run the command of this process's arguments, and end with its exit code."""
    end(main())


if __name__ == "__main__":
    run()
