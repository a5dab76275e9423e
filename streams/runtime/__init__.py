"""The only place that knows faust, aiokafka, prometheus, the clock and the network."""
