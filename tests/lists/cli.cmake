# The program as its users meet it: scripts that run it, and their small helpers.
add_executable(vecdiff cli/vecdiff.c)
target_link_libraries(vecdiff PRIVATE m)
set_target_properties(vecdiff PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON)
target_compile_options(vecdiff PRIVATE -Wall -Wextra $<$<BOOL:${TWOFOLD_WERROR}>:-Werror>)

twofold_cli_test(study options figure1 scaling badinput solve krr synthetic reasons data contraction bench realdata)
