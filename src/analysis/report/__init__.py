"""From tables to sentences, pages and a site: what people read."""
