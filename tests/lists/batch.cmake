# Job scripts, run by a scheduler on hosts in small: that waits more than it computes.
add_test(NAME batch-slurm COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/batch/slurm.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(batch-slurm PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 600 COST 60 SKIP_RETURN_CODE 77 LABELS batch)

# Job scripts without a scheduler.
twofold_cli_test(submit)
