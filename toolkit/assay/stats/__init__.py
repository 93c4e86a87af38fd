"""Pure numerics: counts and moments in, paired estimates and drift distances out."""
