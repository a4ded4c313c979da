"""The libraries that run the networks, behind one interface: `predictor.engines.base`."""
