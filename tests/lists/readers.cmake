# Lines, vectors and data sets from files.
twofold_test(t02-lines RANKS 1 2 3 7)
twofold_test(t02-vecload RANKS 1 2 3 7)
twofold_test(t10-svmlight RANKS 1 2 3 7)
twofold_test(t11-binary RANKS 1 2 3 7)
twofold_test(t12-idx RANKS 1 2 3 7)
target_link_libraries(t12-idx PRIVATE ZLIB::ZLIB)
