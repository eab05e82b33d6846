"""Commands of the lab's practice: place, step, doctor, docs, demo."""
