"""The front ends' drivers (`firmware/front_ends`) are tested here, on the models of their parts."""
