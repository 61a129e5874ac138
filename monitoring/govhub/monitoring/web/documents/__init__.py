"""What pages and API tell that the arithmetic has, as plain documents."""
