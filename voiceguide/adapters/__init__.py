"""With which device or peer: one third-party engine a file, imported lazily in `open()`."""
