"""Reading hosts: one script a host, what it answers, and the facts in that."""
