"""Real Debian hosts on this machine: systemd-nspawn, SSH, a network namespace without a way out."""
