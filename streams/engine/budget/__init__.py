"""Money: partitions spend from purses, one coordinator leases money to them."""
