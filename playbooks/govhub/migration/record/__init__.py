"""The legal record: one append-only chain of events per system, and what follows from it."""
