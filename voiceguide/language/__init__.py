"""Words to meaning and back: pure functions over content packs; `now` is an argument."""
