"""What would a change do: placing machines, losing parts, and the limits that a hub is held to."""
