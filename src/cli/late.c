/* Names of the options that PETSc reads when a thing is viewed, logged or finalised, or as the first vector
   or matrix of a kind is made: "unread" says nothing about them when a run begins. */
#include <strings.h>
#include "cli.h"

static const char *const late[] = {
    /* about the options themselves, and the end of a run */
    "options_left", "options_view", "options_monitor", "options_monitor_cancel", "options_file",
    "options_file_yaml", "options_string_yaml", "options_suppress_deprecated_warnings", "citations",
    "objects_dump", "skip_petscrc", "petsc_ci", "petsc_ci_portable_error_output",
    /* memory */
    "memory_view", "malloc", "malloc_debug", "malloc_dump", "malloc_view", "malloc_view_threshold",
    "malloc_test", "malloc_coalesce", "malloc_hbw", "malloc_requested_size", "check_pointer_intensity",
    /* logging */
    "log", "log_all", "log_view", "log_view_memory", "log_view_gpu_time", "log_summary", "log_trace",
    "log_exclude", "log_exclude_actions", "log_exclude_objects", "log_sync", "log_threshold", "log_mpe",
    "log_perfstubs", "info", "info_exclude", "get_total_flops",
    /* errors and debuggers */
    "on_error_abort", "on_error_mpiabort", "on_error_emacs", "on_error_attach_debugger",
    "on_error_malloc_dump", "error_output_stdout", "error_output_none", "start_in_debugger",
    "stop_for_debugger", "debug_terminal", "debugger_nodes", "debugger_ranks", "debugger_pause",
    "no_signal_handler", "fp_trap",
    /* devices, viewers and windows */
    "use_gpu_aware_mpi", "device_enable", "device_select", "device_view", "viewer_view",
    "viewer_binary_filename", "viewer_binary_mpiio", "viewer_binary_skip_header", "viewer_binary_skip_info",
    "viewer_binary_skip_options", "viewer_hdf5_base_dimension2", "viewer_hdf5_collective",
    "viewer_hdf5_default_timestepping", "viewer_hdf5_sp_output", "viewer_socket_machine",
    "viewer_socket_port", "saws_options", "python", "display", "x_virtual", "nox", "nox_warning", "draw_type",
    "draw_pause", "draw_save", "draw_save_movie", "draw_save_final_image", "draw_size",
    /* vectors, matrices, scatters */
    "vec_type", "vec_view", "vec_bind_below", "vec_assembly_legacy", "vecstash_initial_size",
    "vecload_block_size", "vecscatter_merge", "mat_type", "mat_view", "mat_bind_below", "mat_block_size",
    "mat_no_inode", "mat_no_unroll", "mat_inode_limit", "mat_use_hash_table", "mat_is_symmetric",
    "mat_ignore_zero_entries", "mat_new_nonzero_location_err", "mat_new_nonzero_allocation_err",
    "mat_product_algorithm", "mat_product_clear", "matload_block_size", "matmatmult_via", "matptap_via",
    "mattransposematmult_via", "matmattransmult_via", "matstash_initial_size", "matstash_legacy",
    "matstash_reproduce", "is_view", "sf_type", "sf_rank_order", "sf_window_sync", "sf_window_flavor",
    /* the adjoint's KSP, once it has solved */
    "hg_ksp_converged_reason", "hg_ksp_converged_rate", "hg_ksp_converged_rate_type", "hg_ksp_view_pre",
    "hg_ksp_final_residual",
    /* newton's SNES and KSP, likewise */
    "lls_newton_snes_converged_reason", "lls_newton_snes_view", "lls_newton_snes_view_solution",
    "lls_newton_snes_test_jacobian", "lls_newton_ksp_converged_reason", "lls_newton_ksp_view_pre",
    "lls_newton_ksp_final_residual",
    /* Tao, once it has solved */
    "uls_tao_view", "uls_tao_ls_view"};

const char *CliLateOption(PetscInt i)
{
  return i < (PetscInt)(sizeof(late) / sizeof(late[0])) ? late[i] : NULL;
}

PetscBool CliIsLateOption(const char name[])
{
  for (PetscInt i = 0; CliLateOption(i); i++)
    if (!strcasecmp(name, CliLateOption(i))) return PETSC_TRUE;
  return PETSC_FALSE;
}
