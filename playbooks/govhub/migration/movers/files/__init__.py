"""File trees: rsync in shards and several passes."""
