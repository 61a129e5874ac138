"""MariaDB: dump and load, then replication by GTID."""
