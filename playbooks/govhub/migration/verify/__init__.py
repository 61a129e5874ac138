"""The verification ladder: schema, counts, ranges, hashes down to the differing rows, full compare; and file trees."""
