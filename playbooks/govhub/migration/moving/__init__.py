"""The steps of a run with real effects: movers, verification and switching behind one protocol."""
