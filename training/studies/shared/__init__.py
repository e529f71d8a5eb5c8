"""What the studies share: recipes, examples, fitting, int8, scores, results."""
