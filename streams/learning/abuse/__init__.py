"""Abuse (羊毛党): how fast, how regular, how crowded, how unusual, and how suspicious in all."""
