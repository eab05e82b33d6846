"""`python -m lawqa` is `lawqa`."""

from typing import NoReturn

from lawqa.cli import main
from lawqa.cli.ending import end
from lawqa.stopwatch import count_from_process_start


def run() -> NoReturn:
    """Run the command of this process's arguments, and end with its exit code."""
    count_from_process_start()
    end(main())


if __name__ == "__main__":
    run()
