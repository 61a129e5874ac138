"""PostgreSQL: native logical replication with a parallel initial copy, and dump and restore."""
