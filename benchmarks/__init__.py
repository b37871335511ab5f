"""dxf measured beside its peers, against a real registry on loopback: `make bench`."""
