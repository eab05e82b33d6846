"""The version, where every package can read it without importing what `lawqa` offers."""

__version__ = "0.2.0"
