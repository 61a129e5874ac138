"""Departmental systems move onto the cloud: what there is, in which waves, how, and with what proof."""
