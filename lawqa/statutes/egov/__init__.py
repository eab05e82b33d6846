"""e-Gov's bulk download: its files, and its law XML as articles."""
