"""Analytics: facts without persons, rollups for operators, published sheets for analysts."""
