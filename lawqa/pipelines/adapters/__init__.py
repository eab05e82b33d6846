"""What is known of an adapter: its recorded content, the manifest of its training and what that allows."""
