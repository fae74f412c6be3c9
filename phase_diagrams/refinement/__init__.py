"""Which finer cells a refined sweep needs, and what lies between agreeing ones."""
