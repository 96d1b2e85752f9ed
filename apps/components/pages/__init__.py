"""The pages of components, one file per subject."""
