"""Documents that are not statutes, read from Markdown, text, HTML and PDF files."""
