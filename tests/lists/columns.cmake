# Separated values, HDF5, and the scaling of features.
twofold_test(t14-csv RANKS 1 2 3 7)
twofold_test(t17-hdf5 RANKS 1 2 3 7)
twofold_test(t18-scale RANKS 1 2 3 7)
twofold_cli_test(readers)
