"""``demo migrate``: a department's systems move onto the cloud in the lab, from the first look to the dossier."""
