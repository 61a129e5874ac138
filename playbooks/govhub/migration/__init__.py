"""Departmental systems move onto the cloud: what there is, in which waves, with what proof."""
