"""What forecasts are measured on and against."""
