# Separated values, HDF5, and the scaling of features.
twofold_test(t14-csv RANKS 1 2 3 7)
