"""Questions about networks of sines -> runs, plots and a page; nothing is coded here."""
