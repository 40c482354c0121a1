"""One trial: its knobs, how it is run, what it gives."""
