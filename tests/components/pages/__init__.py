"""The pages of components, as people of different rights meet them."""
