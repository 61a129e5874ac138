"""What results look like: for people, as JSON, and as files for other programs."""
