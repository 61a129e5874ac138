"""Auditing hosts: a catalogue of checks, each with its control, and the judgement of one reading by them."""
