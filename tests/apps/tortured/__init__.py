"""An application whose every function keeps a promise that a checker can hold against the history of its calls."""
