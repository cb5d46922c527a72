"""What may happen: pure, deterministic, free of clocks, words and devices."""
