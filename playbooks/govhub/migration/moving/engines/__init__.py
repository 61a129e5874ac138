"""What the steps of a database need of its engine: one port, and an adapter for each engine over its mover."""
