"""Hosts: what each is declared to be, and the Ansible and pyinfra runs that make and check it."""
