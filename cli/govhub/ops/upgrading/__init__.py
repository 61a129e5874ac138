"""`hosts upgrade`: newer packages host by host, as many at once as every department can bear."""
