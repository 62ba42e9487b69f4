"""What calls cost: upper bounds before them, prices after them, one budget for all."""
