"""An evaluation: open the backend, ask what is not answered yet, gather, sum up; resume where it stopped."""
