"""How times, numbers, people and errors are told."""
