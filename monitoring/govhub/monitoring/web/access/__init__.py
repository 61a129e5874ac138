"""Who may see what: tokens, logins, roles, and the department of each."""
