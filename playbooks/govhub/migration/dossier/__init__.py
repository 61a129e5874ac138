"""The dossier (割接档案): a system's record as papers that people sign off, and that prove themselves."""
